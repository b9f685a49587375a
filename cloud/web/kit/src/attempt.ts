// One money-moving attempt: its key and body stay the same until a definite answer arrives.

import { call, Unreachable } from './api'
import { uuid } from './uuid'

interface Pending {
  key: string
  path: string
  body: unknown
}

/**
 * Sends with an Idempotency-Key. When no answer arrives the attempt stays open, also over a reload
 * of the tab, and `retry` repeats it unchanged; nothing else may be sent meanwhile.
 */
export class Attempt<T> {
  private pending: Pending | null

  constructor(private readonly slot: string) {
    const saved = sessionStorage.getItem(slot)
    this.pending = saved ? (JSON.parse(saved) as Pending) : null
  }

  get open(): boolean {
    return this.pending !== null
  }

  get body(): unknown {
    return this.pending?.body ?? null
  }

  async send(path: string, body: unknown): Promise<T> {
    if (this.pending) throw new Error('an attempt is still open')
    this.keep({ key: uuid(), path, body })
    return this.retry()
  }

  async retry(): Promise<T> {
    if (!this.pending) throw new Error('no attempt is open')
    const { key, path, body } = this.pending
    try {
      const answer = await call<T>('POST', path, { key, body })
      this.keep(null)
      return answer
    } catch (error) {
      if (!isUncertain(error)) this.keep(null)
      throw error
    }
  }

  /** Gives the open attempt up: whoever calls this knows that repeating it is not wanted. */
  abandon(): void {
    this.keep(null)
  }

  private keep(pending: Pending | null): void {
    this.pending = pending
    if (pending) sessionStorage.setItem(this.slot, JSON.stringify(pending))
    else sessionStorage.removeItem(this.slot)
  }
}

function isUncertain(error: unknown): boolean {
  if (error instanceof Unreachable) return true
  const status = (error as { status?: number }).status
  return status === undefined || status >= 500 || status === 401 || status === 425 || status === 429
}
