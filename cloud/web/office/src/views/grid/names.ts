// Permissions that the room grid and the room refer to.

export const MAY_COLLECT = 'receiving.counter:use'
export const MAY_UNMASK = 'customers.phone:reveal'
export const MAY_SEE_VEHICLES = 'vehicles.vehicle:read'
