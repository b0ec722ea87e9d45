export { claimKey } from './claim-key.ts';
export { createIdempotency, mayKeepAnswer } from './idempotency.ts';
export { removeOldKeys, startKeyCleanup } from './key-cleanup.ts';
export { idempotencyMigration } from './schema.ts';
