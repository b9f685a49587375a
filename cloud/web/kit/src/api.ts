// The one HTTP client: session cookie, CSRF header, problem+json, idempotency keys.

export interface FieldProblem {
  path: string
  code: string
  params: Record<string, unknown>
  message: string
}

export class Problem extends Error {
  override name = 'Problem'
  readonly at = Date.now()
  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly params: Record<string, unknown> = {},
    readonly errors: FieldProblem[] = [],
    readonly incident: string | null = null
  ) {
    super(title || code)
  }
}

/** No answer arrived: whether the server acted is unknown. */
export class Unreachable extends Error {
  override name = 'Unreachable'
  readonly at = Date.now()
}

export type Query = Record<string, string | number | null | undefined>

export interface CallOptions {
  query?: Query
  body?: unknown
  key?: string
  signal?: AbortSignal
  timeout?: number
  file?: Blob
}

const listeners = { signedOut: () => {}, reached: (_ok: boolean) => {} }
const identity = { csrf: '', locale: 'zh-CN' }

export function identify(change: Partial<typeof identity>): void {
  Object.assign(identity, change)
}

export function listen(change: Partial<typeof listeners>): void {
  Object.assign(listeners, change)
}

function withQuery(path: string, query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value != null && value !== '')
  if (!pairs.length) return path
  const search = new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))
  return `${path}${path.includes('?') ? '&' : '?'}${search}`
}

export async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(method, path, options)
  if (response.status === 204) return undefined as T
  return (await response.json()) as T
}

export const get = <T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> =>
  call<T>('GET', path, { query, signal })

export interface Fetched {
  name: string
  blob: Blob
  /** 202: the server makes the file later; the blob says which one it will be. */
  later: boolean
}

/** A file under the name that the server gives it. */
export async function fetchFile(
  path: string,
  query: Query,
  fallback: string,
  options: { method?: string; file?: Blob } = {}
): Promise<Fetched> {
  const response = await send(options.method ?? 'GET', path, {
    query,
    file: options.file,
    timeout: 120_000
  })
  const name = fileName(response.headers.get('Content-Disposition')) ?? fallback
  return { name, blob: await response.blob(), later: response.status === 202 }
}

export function save({ name, blob }: Fetched): void {
  const url = URL.createObjectURL(blob)
  const anchor = Object.assign(document.createElement('a'), { href: url, download: name })
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Opens a PDF in a tab of its own, ready to print; saves it where no tab may be opened. */
export function show(file: Fetched): void {
  const url = URL.createObjectURL(file.blob)
  if (!window.open(url, '_blank')) save(file)
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Downloads a file, or shows it when it is made to be printed. */
export async function download(path: string, query: Query, fallback: string): Promise<string> {
  const file = await fetchFile(path, query, fallback)
  if (file.blob.type === 'application/pdf') show(file)
  else save(file)
  return file.name
}

async function send(method: string, path: string, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { 'Accept-Language': identity.locale }
  if (options.body !== undefined) headers['Content-Type'] = 'application/json'
  if (options.file) headers['Content-Type'] = 'application/octet-stream'
  if (method !== 'GET') headers['X-CSRF-Token'] = identity.csrf
  if (options.key) headers['Idempotency-Key'] = options.key
  const response = await reach(withQuery(path, options.query), {
    method,
    headers,
    credentials: 'same-origin',
    body: options.file ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
    signal: limited(options.timeout ?? 30_000, options.signal)
  })
  if (response.ok) return response
  const problem = await problemOf(response)
  if (problem.status === 401 && problem.code !== 'wrong-credentials') listeners.signedOut()
  throw problem
}

// AbortSignal.any needs Chrome 116; the floor is 109.
function limited(milliseconds: number, outer?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(milliseconds)
  if (!outer) return timeout
  const either = new AbortController()
  for (const signal of [outer, timeout]) {
    signal.addEventListener('abort', () => either.abort(signal.reason), { once: true })
  }
  if (outer.aborted) either.abort(outer.reason)
  return either.signal
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    const response = await fetch(url, init)
    listeners.reached(true)
    return response
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    listeners.reached(false)
    throw new Unreachable(String(error))
  }
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>
    return new Problem(
      response.status,
      body.code ?? `http-${response.status}`,
      body.title ?? '',
      body.params ?? {},
      body.errors ?? [],
      body.incident ?? null
    )
  } catch {
    return new Problem(response.status, `http-${response.status}`, '')
  }
}

function fileName(disposition: string | null): string | null {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? '')
  if (encoded?.[1]) return decodeURIComponent(encoded[1])
  return /filename="?([^";]+)"?/i.exec(disposition ?? '')?.[1] ?? null
}
