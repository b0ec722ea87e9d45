export { startAnomalyDuty, storeAnomalies } from './anomalies.ts';
export {
  type AuditEvent,
  type AuditOutcome,
  auditEventOf,
  type CanonicalEvent,
  canonicalEvent,
} from './audit-event.ts';
export {
  boundMac,
  createEmitter,
  createOutcomeRecorder,
  type Emitter,
  macKeyOf,
  type OutboxRow,
  outboxMac,
} from './emitter.ts';
export { type Bus, createBus } from './jetstream.ts';
export { messageDigest } from './message-digest.ts';
export {
  askMissingEvents,
  type FindMissing,
  missingMessages,
  type PublishedEvent,
} from './missing-messages.ts';
export { type Arrival, type OutboxMessage, type Publisher, RefusedMessages } from './publisher.ts';
export { type Relay, startRelay } from './relay.ts';
export {
  type AnomaliesSchema,
  anomaliesMigration,
  type OutboxSchema,
  type OutboxTable,
  outboxMigration,
} from './schema.ts';
export { AUDIT_STREAM, EVENT_STREAM } from './streams.ts';
