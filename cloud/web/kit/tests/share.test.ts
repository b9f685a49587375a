import { describe, expect, it } from 'vitest'

import { perCent, shareOf } from '../src/share'

const PAIRS = [
  ['0', '0'],
  ['0.0001', '0.01'],
  ['0.0725', '7.25'],
  ['0.1', '10'],
  ['0.95', '95'],
  ['1', '100']
] as const

describe('a share', () => {
  it.each(PAIRS)('%s is typed as %s, exactly, and back', (share, typed) => {
    expect([perCent(share), shareOf(typed)]).toEqual([typed, share])
  })

  it('loses the zeros of its column', () => {
    expect(perCent('0.9500')).toBe('95')
    expect(shareOf('007.50')).toBe('0.075')
  })
})
