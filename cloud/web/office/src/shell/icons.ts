// Lucide icons by the names that menu items and device groups carry; a fixed list keeps the rest out.

import {
  Activity, Banknote, BookOpen, Boxes, Briefcase, Building, Building2, Calculator, CalendarClock,
  ChartColumn, CircleGauge, ClipboardCheck, ClipboardList, Cpu, CreditCard, DoorOpen, Droplet,
  Droplets, Factory, FileClock, FileSpreadsheet, FileText, Flame, Gauge, HandCoins, HeartHandshake,
  House, KeyRound, Landmark, Layers, LayoutGrid, Lightbulb, ListChecks, Map, Percent, PlayCircle,
  Receipt, ReceiptText, RadioTower, Router, ScrollText, Settings2, ShieldCheck, SlidersHorizontal,
  SquareStack, Tags, Ticket, Thermometer, User, UserCog, Users, Wallet, WalletCards, Warehouse,
  Waves, Wrench, Zap
} from '@lucide/vue'
import type { Component } from 'vue'

const ICONS: Record<string, Component> = {
  activity: Activity, banknote: Banknote, 'book-open': BookOpen, boxes: Boxes, briefcase: Briefcase,
  building: Building, 'building-2': Building2, calculator: Calculator,
  'calendar-clock': CalendarClock, 'chart-column': ChartColumn, 'circle-gauge': CircleGauge,
  'clipboard-check': ClipboardCheck, 'clipboard-list': ClipboardList, cpu: Cpu,
  'credit-card': CreditCard, 'door-open': DoorOpen, droplet: Droplet, droplets: Droplets,
  factory: Factory, 'file-clock': FileClock, 'file-spreadsheet': FileSpreadsheet,
  'file-text': FileText, flame: Flame, gauge: Gauge, 'hand-coins': HandCoins,
  'heart-handshake': HeartHandshake, house: House, 'key-round': KeyRound, landmark: Landmark,
  layers: Layers, 'layout-grid': LayoutGrid, lightbulb: Lightbulb, 'list-checks': ListChecks,
  map: Map, percent: Percent, play: PlayCircle, 'play-circle': PlayCircle, receipt: Receipt,
  'receipt-text': ReceiptText, 'radio-tower': RadioTower, router: Router,
  'scroll-text': ScrollText, settings: Settings2, 'settings-2': Settings2,
  'shield-check': ShieldCheck, 'sliders-horizontal': SlidersHorizontal,
  'square-stack': SquareStack, tags: Tags, ticket: Ticket, thermometer: Thermometer, user: User,
  'user-cog': UserCog, users: Users, wallet: Wallet, 'wallet-cards': WalletCards,
  warehouse: Warehouse, waves: Waves, wrench: Wrench, zap: Zap
}

export function iconOf(name: string | null | undefined, fallback: Component = Layers): Component {
  if (!name) return fallback
  return ICONS[name.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()] ?? fallback
}
