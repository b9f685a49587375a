// The page language as it comes over the wire; mirrors cloud/kernel/ui/language.py.

export type Tone = 'mute' | 'info' | 'wait' | 'auto' | 'ok' | 'warn' | 'bad'

export type Kind =
  | 'text'
  | 'number'
  | 'money'
  | 'price'
  | 'quantity'
  | 'count'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'age'
  | 'period'
  | 'tag'
  | 'flag'
  | 'phone'

export interface Option {
  value: string
  label: string
  tone: Tone | null
}

export interface Column {
  key: string
  label: string
  kind: Kind
  width: number | null
  sortable: boolean
  options: Option[]
  unit: string | null
  unit_key: string | null
  note_key: string | null
}

export interface Filter {
  key: string
  label: string
  kind: 'search' | 'choice' | 'period' | 'date'
  options: Option[]
  source: string | null
}

export interface View {
  code: string
  label: string
  params: Record<string, string>
  tone: Tone | null
}

export interface Empty {
  title: string
  hint: string
}

export interface Field {
  key: string
  label: string
  kind: Kind | 'choice' | 'lookup' | 'multi' | 'long_text' | 'lines'
  required: boolean
  help: string | null
  options: Option[]
  source: string | null
  default: string | null
  start_key: string | null
  unit: string | null
  section: string | null
  wide: boolean
  lines: Field[]
  least: number
}

export interface Form {
  shape: 'form'
  version: 1
  code: string
  title: string
  note: string | null
  fields: Field[]
  given: Record<string, string>
  trial: Trial | null
  submit: string
}

export interface Trial {
  path: string
  takes: string[]
  needs: string[]
}

export interface TrialLine {
  label: string
  text: string
  result: string
  note: string
  tone: Tone | null
}

export interface Action {
  code: string
  label: string
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  placement: 'primary' | 'toolbar' | 'row' | 'selection'
  tone: 'bad' | null
  confirm: string | null
  when: Record<string, string[]>
  form: Form | null
  idempotent: boolean
  done: string
  opens: string | null
  shown_once: string | null
}

/** Rows of a workbook into a list; below `path` are /template and /report. */
export interface Import {
  title: string
  note: string
  path: string
  columns: { label: string; required: boolean }[]
  options: { key: string; label: string }[]
}

export interface Table {
  shape: 'table'
  version: 1
  code: string
  title: string
  source: string
  columns: Column[]
  filters: Filter[]
  views: View[]
  actions: Action[]
  detail: string | null
  opens: string | null
  sums: string[]
  sort: string
  export: string | null
  imports: Import | null
  empty: Empty
}

export interface Section {
  code: string
  title: string
  kind: 'fields' | 'table' | 'explanation' | 'entries' | 'timeline'
  key: string
  columns: Column[]
  note: string | null
}

export interface Detail {
  shape: 'detail'
  version: 1
  code: string
  title: string
  source: string
  number: string
  subtitle: string[]
  tags: Column[]
  figures: Column[]
  progress: string[]
  sections: Section[]
  actions: Action[]
  foot: string | null
}

export type Page = Table | Form | Detail

export interface MenuItem {
  code: string
  label: string
  icon: string | null
  page: string | null
  view: string | null
  favorite: boolean
  children: MenuItem[]
}

export type Value = string | number | boolean | null | undefined | object
export type Row = Record<string, Value>

export interface List {
  items: Row[]
  total: number
  sums?: Record<string, string>
  as_of?: string
  views?: Record<string, number>
}

export interface Explanation {
  operands: { value: string; unit: string; caption: string }[]
  raw: string
  amount: string
  recomputed: boolean
  lines: { label: string; value: string; source: string }[]
}

export interface JournalEntry {
  number: string
  business_on: string
  summary: string
  lines: {
    side: 'debit' | 'credit'
    account: string
    debit: string | null
    credit: string | null
  }[]
}

export interface Happening {
  at: string
  title: string
  text: string | null
  who: string | null
  tone: Tone
  opens?: string | null
}
