const WRITTEN = /^\d{4}-\d\d-\d\d$/

// The browser writes its own date field in its own language, whatever the page speaks: the day is a
// text like 2026-11-24 with a calendar of ours beside it.
function dayField(model, words) {
  const day = document.createElement('input')
  day.inputMode = 'numeric'
  day.maxLength = 10
  day.placeholder = model.today
  day.setAttribute('aria-label', words.as_of)
  const choose = () => (model.as_of = day.value.trim() || model.today)
  day.addEventListener('input', () => WRITTEN.test(day.value) && choose())
  day.addEventListener('change', choose)
  const show = () => (day.value = model.as_of)
  show()
  model.on('as_of', show)

  const open = document.createElement('button')
  open.type = 'button'
  open.className = 'open'
  open.title = words.calendar
  open.setAttribute('aria-label', words.calendar)
  const sheet = document.createElement('div')
  sheet.className = 'calendar'
  const close = () => sheet.replaceChildren()
  open.addEventListener('click', () => {
    if (sheet.childElementCount) return close()
    const known = WRITTEN.test(model.as_of) && model.as_of < model.today
    drawMonth(sheet, model, words, (known ? model.as_of : model.today).slice(0, 7), (picked) => {
      model.as_of = picked
      close()
      day.focus()
    })
  })
  const field = document.createElement('span')
  field.className = 'field'
  field.append(day, open, sheet)
  field.addEventListener('focusout', (event) => field.contains(event.relatedTarget) || close())
  field.addEventListener('keydown', (event) => event.key === 'Escape' && close())
  const label = document.createElement('label')
  label.append(words.as_of, field)
  return label
}

const utc = (iso) => new Date(`${iso}T00:00:00Z`)
const iso = (date) => date.toISOString().slice(0, 10)

function drawMonth(sheet, model, words, month, pick) {
  const written = (options) => new Intl.DateTimeFormat(model.lang, { timeZone: 'UTC', ...options })
  const first = utc(`${month}-01`)
  const turn = (text, label, by) => {
    const to = new Date(first)
    to.setUTCMonth(to.getUTCMonth() + by)
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = text
    button.setAttribute('aria-label', label)
    button.disabled = iso(to) > model.today
    button.addEventListener('click', () => {
      drawMonth(sheet, model, words, iso(to).slice(0, 7), pick)
      sheet.querySelector(by < 0 ? 'button' : 'button:nth-of-type(2)').focus()
    })
    return button
  }
  const title = document.createElement('b')
  title.textContent = written({ year: 'numeric', month: 'long' }).format(first)
  sheet.replaceChildren(turn('‹', words.earlier, -1), title, turn('›', words.later, 1))
  const day = new Date(first)
  day.setUTCDate(1 - ((first.getUTCDay() + 6) % 7)) // the Monday on or before the first
  for (let place = 0; place < 7; place += 1) {
    const name = document.createElement('span')
    name.textContent = written({ weekday: 'narrow' }).format(new Date(day.getTime() + place * 864e5))
    sheet.append(name)
  }
  while (iso(day).slice(0, 7) <= month) {
    for (let place = 0; place < 7; place += 1) {
      const one = iso(day)
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = String(day.getUTCDate())
      button.setAttribute('aria-label', one)
      button.disabled = one > model.today
      if (one === model.as_of) button.setAttribute('aria-current', 'date')
      if (one.slice(0, 7) !== month) button.className = 'other'
      button.addEventListener('click', () => pick(one))
      sheet.append(button)
      day.setUTCDate(day.getUTCDate() + 1)
    }
  }
}

// What is asked: date, span, unit; and how: again, on a wall. Plain inputs in the office's shape.
export function render({ model, el }) {
  const words = model.words
  const box = document.createElement('div')
  box.className = 'controls'

  const title = document.createElement('h1')
  title.textContent = words.title
  const fill = document.createElement('span')
  fill.className = 'fill'
  box.append(title, fill)

  if (model.units.length) {
    const unit = document.createElement('select')
    unit.setAttribute('aria-label', words.unit)
    const draw = () => {
      unit.replaceChildren(
        ...model.units.map((one) => {
          const option = new Option(one.label, one.value)
          option.selected = one.value === model.unit
          return option
        })
      )
    }
    draw()
    model.on('units', draw)
    model.on('unit', draw)
    unit.addEventListener('change', () => (model.unit = unit.value))
    const choice = document.createElement('span')
    choice.className = 'choice'
    choice.append(unit)
    box.append(choice)
  }

  if (model.spans.length) {
    const group = document.createElement('div')
    group.className = 'segments'
    group.setAttribute('role', 'group')
    const draw = () => {
      group.replaceChildren(
        ...model.spans.map((one) => {
          const button = document.createElement('button')
          button.type = 'button'
          button.textContent = one.label
          button.setAttribute('aria-pressed', String(one.value === model.span))
          button.addEventListener('click', () => (model.span = one.value))
          return button
        })
      )
    }
    draw()
    model.on('span', draw)
    box.append(group, dayField(model, words))
  }

  // The address keeps what was chosen, for a reload; the office keeps it for the way back.
  const chosen = () => ({
    unit: model.unit,
    ...(model.spans.length
      ? { span: model.span, as_of: model.as_of === model.today ? '' : model.as_of }
      : {})
  })
  const keep = () => {
    const query = new URLSearchParams(location.search)
    for (const [name, value] of Object.entries(chosen())) {
      if (value) query.set(name, value)
      else query.delete(name)
    }
    history.replaceState(history.state, '', `${location.pathname}?${query}`)
    if (window.parent !== window) {
      window.parent.postMessage({ dashboard: chosen() }, location.origin)
    }
  }
  for (const name of ['unit', 'span', 'as_of']) model.on(name, keep)

  const again = document.createElement('button')
  again.type = 'button'
  again.className = 'plain'
  again.textContent = words.refresh
  again.addEventListener('click', () => (model.asked += 1))
  const at = document.createElement('span')
  at.className = 'at'
  at.setAttribute('role', 'status')
  const say = () => {
    at.textContent = model.at
    box.classList.toggle('busy', model.busy)
  }
  say()
  model.on('at', say)
  model.on('busy', say)
  box.append(again, at)

  if (words.wall) {
    const wall = document.createElement('a')
    wall.className = 'plain'
    wall.target = '_blank'
    wall.rel = 'noopener'
    wall.textContent = words.wall
    const to = () => {
      const query = new URLSearchParams({
        wall: '1',
        lang: model.lang,
        unit: model.unit,
        span: model.span
      })
      wall.href = `${location.pathname}?${query}`
    }
    to()
    model.on('unit', to)
    model.on('span', to)
    box.append(wall)
  }
  el.append(box)
}
