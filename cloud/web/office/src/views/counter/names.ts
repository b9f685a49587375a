// Permissions and pages of the receiving module that the counter refers to.

export const MAY_TAKE = 'receiving.receive'
export const MAY_REVERSE = 'receiving.reverse'
export const MAY_UNMASK = 'customers.unmask'
export const PAGE_RECEIPTS = 'receipts'
export const PAGE_STATEMENT = 'statement'
