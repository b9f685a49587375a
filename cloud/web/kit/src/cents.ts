// Money in whole cents: sums, change and what is typed, without floating point.

/** "1,206.09" or "-3.5" → 120609 / -350; null when it is not an amount of at most two decimals. */
export function cents(text: string | null | undefined): number | null {
  const plain = (text ?? '')
    .trim()
    .replace(/[,，\s]/g, '')
    .replace('\u2212', '-')
  const match = /^([+-]?)(\d{1,13})(?:\.(\d{0,2}))?$/.exec(plain)
  if (!match) return null
  const value = Number(match[2]) * 100 + Number((match[3] ?? '').padEnd(2, '0'))
  return match[1] === '-' && value !== 0 ? -value : value
}

/** An amount the server sent; anything else is a broken contract. */
export function centsOf(amount: string): number {
  const value = cents(amount)
  if (value === null) throw new RangeError(`not an amount: ${amount}`)
  return value
}

/** 60070 → "600.70", as the server takes it. */
export function decimal(value: number): string {
  const digits = String(Math.abs(value)).padStart(3, '0')
  return `${value < 0 ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

export function sum(amounts: Iterable<string>): number {
  let total = 0
  for (const amount of amounts) total += centsOf(amount)
  return total
}
