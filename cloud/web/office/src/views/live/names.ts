// Permissions of the devices module that the live screen refers to.

export const MAY_READ_NOW = 'devices.device:command'
