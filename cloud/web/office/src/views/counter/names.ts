// Permissions and pages that the counter refers to.

export const MAY_TAKE = 'receiving.receipt:take'
export const MAY_CLOSE_SHIFT = 'receiving.shift:close'
export const MAY_READ_ROOM = 'receiving.receipt:read'
export const MAY_REVERSE = 'receiving.receipt:reverse'
export const MAY_UNMASK = 'customers.phone:reveal'
export const MAY_SEE_PLATES = 'vehicles.vehicle:read'
export const PAGE_RECEIPTS = 'receiving.receipts'
export const PAGE_STATEMENT = 'receiving.statement'
