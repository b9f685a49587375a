// Regions that open into their projects; sorted by any column; figures lead into the office.
export function render({ model, el }) {
  const shut = new Set()
  let by = -1
  let down = true

  function compare(one, other) {
    if (by < 0) return 0
    const [a, b] = [one.cells[by].sort, other.cells[by].sort]
    if (a === '' || b === '') return (a === '') - (b === '')
    return down ? Number(b) - Number(a) : Number(a) - Number(b)
  }

  function cell(value) {
    const td = document.createElement('td')
    if (value.href) {
      const link = document.createElement('a')
      link.href = value.href
      link.target = '_top'
      link.textContent = value.text
      td.append(link)
    } else td.textContent = value.text
    if (value.exact) td.dataset.value = value.exact
    if (value.bad) td.className = 'bad'
    else if (value.text === '–') td.className = 'none'
    return td
  }

  function line(row, kind) {
    const tr = document.createElement('tr')
    tr.className = kind
    tr.dataset.unit = row.id
    const name = document.createElement('td')
    if (row.below.length) {
      const fold = document.createElement('button')
      const open = !shut.has(row.id)
      fold.type = 'button'
      fold.className = 'fold'
      fold.textContent = open ? '▾' : '▸'
      fold.setAttribute('aria-expanded', String(open))
      fold.setAttribute('aria-label', row.name)
      fold.addEventListener('click', () => {
        if (!shut.delete(row.id)) shut.add(row.id)
        draw()
      })
      name.append(fold)
    }
    name.append(row.name)
    tr.append(name, ...row.cells.map(cell))
    return tr
  }

  function head() {
    const tr = document.createElement('tr')
    const first = document.createElement('th')
    first.textContent = model.words.unit
    tr.append(first)
    model.columns.forEach((column, index) => {
      const th = document.createElement('th')
      const button = document.createElement('button')
      button.type = 'button'
      button.textContent = column.label + (by === index ? (down ? ' ↓' : ' ↑') : '')
      button.addEventListener('click', () => {
        down = by === index ? !down : true
        by = index
        draw()
      })
      th.setAttribute('aria-sort', by === index ? (down ? 'descending' : 'ascending') : 'none')
      th.append(button)
      tr.append(th)
    })
    return tr
  }

  const panel = document.createElement('section')
  panel.className = 'panel'
  const title = document.createElement('h2')
  const scroll = document.createElement('div')
  scroll.className = 'scroll'
  const table = document.createElement('table')
  const thead = document.createElement('thead')
  const tbody = document.createElement('tbody')
  table.append(thead, tbody)
  scroll.append(table)
  panel.append(title, scroll)
  el.append(panel)

  function draw() {
    title.textContent = model.words.title
    thead.replaceChildren(head())
    const lines = []
    for (const row of [...model.rows].sort(compare)) {
      lines.push(line(row, row.below.length ? 'group' : ''))
      if (!shut.has(row.id))
        for (const below of [...row.below].sort(compare)) lines.push(line(below, 'part'))
    }
    tbody.replaceChildren(...lines)
  }
  draw()
  model.on('rows', draw)
}
