export type { CanaryStore } from './canary-store.ts';
export { openSeal, type Seal, type SealOptions, type SealStatus } from './seal.ts';
export { type SealHandlersOptions, sealHandlers } from './seal-handlers.ts';
export type { SharePart } from './share-collection.ts';
export {
  makeShares,
  parseShare,
  type SealedService,
  type ShareText,
  ShareTextError,
  sealedServices,
} from './share-text.ts';
