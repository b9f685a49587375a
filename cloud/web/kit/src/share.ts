// A share is stored as 0.95 and typed as 95 %: the point is moved in the text, without a float.

const PLACES = 2

/** "0.9500" → "95", "0.0725" → "7.25". */
export function perCent(share: string): string {
  const [whole = '0', fraction = ''] = share.split('.')
  const digits = fraction.padEnd(PLACES, '0')
  return plain(whole + digits.slice(0, PLACES), digits.slice(PLACES))
}

/** "95" → "0.95", "7.25" → "0.0725". */
export function shareOf(perCents: string): string {
  const [whole = '0', fraction = ''] = perCents.split('.')
  const digits = whole.padStart(PLACES, '0')
  return plain(digits.slice(0, -PLACES), digits.slice(-PLACES) + fraction)
}

function plain(whole: string, fraction: string): string {
  const kept = fraction.replace(/0+$/, '')
  const head = whole.replace(/^0+(?=\d)/, '') || '0'
  return kept ? `${head}.${kept}` : head
}
