/** Keys of the gRPC metadata between services. */
export const METADATA = {
  actorToken: 'claviger-actor',
  tenantId: 'claviger-tenant',
  requestId: 'claviger-request-id',
  sourceAddress: 'claviger-source-address',
  idempotencyKey: 'claviger-idempotency-key',
  traceparent: 'traceparent',
} as const;
