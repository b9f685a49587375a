// The hand-written types held to the server's OpenAPI document: a type check, nothing at run time.

import type { components } from './openapi'
import type * as page from './page'
import type * as types from './types'

type Server = components['schemas']
type Fits<Answer extends Written, Written> = [Answer, Written]

export type Contract = [
  Fits<Server['Boot'], types.Boot>,
  Fits<Server['PublicFacts'], types.PublicFacts>,
  Fits<Server['Shift'], types.Shift>,
  Fits<Server['ReceiptTaken'], types.ReceiptAnswer>,
  Fits<types.ReceiptRequest, Server['ReceiptCreate']>,
  Fits<Server['Desk'], types.Desk>,
  Fits<Server['CounterRoom'], types.CounterRoom>,
  Fits<Server['Hits'], { items: types.FoundRoom[] }>,
  Fits<Server['BuildingsOnGrid'], { items: types.GridBuilding[] }>,
  Fits<Server['BuildingGrid'], types.BuildingGrid>,
  Fits<Server['RoomProfile'], types.RoomProfile>,
  Fits<Server['LiveRead'], types.LiveAnswer>,
  Fits<Server['GatewayRead'], types.GatewayRow>,
  Fits<Server['History'], types.PointHistory>,
  Fits<Server['ReadNowAnswer'], types.ReadNow>,
  Fits<Server['ExportRead'], types.ExportJob>,
  Fits<Server['ImportReport'], types.ImportReport>,
  Fits<Server['RoleRead'], types.RoleRow>,
  Fits<Server['RoleDetail'], types.RoleFacts>,
  Fits<Server['PermissionCatalog'], { modules: types.PermissionModule[] }>,
  Fits<Server['Preferences'], types.Preferences>,
  Fits<Server['SearchAnswer'], types.SearchAnswer>,
  Fits<Server['Table'], page.Table>,
  Fits<Server['Detail'], page.Detail>,
  Fits<Server['Form'], page.Form>,
  Fits<Server['TrialLines'], { lines: page.TrialLine[] }>,
  Fits<Server['MenuItem'], page.MenuItem>,
  Fits<Server['Explanation'], page.Explanation>,
  Fits<Server['EntryOfDocument'], page.JournalEntry>,
  Fits<Server['TimelineEvent'], page.Happening>
]
