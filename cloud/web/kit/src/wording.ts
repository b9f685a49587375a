// One sentence for any failed call: the server's own words first.

import { Problem, Unreachable } from './api'
import { t } from './i18n'

export function sentence(error: unknown): string {
  if (error instanceof Unreachable) return t('problem.unreachable')
  if (!(error instanceof Problem)) return t('problem.unknown')
  if (error.title) return error.title
  if (error.status === 403) return t('problem.forbidden')
  return error.status === 409 ? t('problem.stale') : t('problem.unknown')
}
