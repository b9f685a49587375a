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
    box.append(unit)
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
    const day = document.createElement('input')
    day.type = 'date'
    day.setAttribute('aria-label', words.as_of)
    day.max = model.today
    day.value = model.as_of
    day.addEventListener('change', () => day.value && (model.as_of = day.value))
    model.on('as_of', () => (day.value = model.as_of))
    const label = document.createElement('label')
    label.append(words.as_of, day)
    box.append(group, label)
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
