export { answersHead } from './answers-head.ts';
export {
  bodyLimitOf,
  contractProblem,
  MAX_BODY_BYTES,
  MAX_PUBLIC_BODY_BYTES,
  namesEntry,
  statusFieldOf,
  updateMaskOf,
} from './contract-problem.ts';
export { AccessLevel, type Field, type Policy, RateTier } from './generated/claviger/options/v1/options.ts';
export { takesIdempotencyKey } from './idempotency-key.ts';
export type { FieldInfo, FieldKind, HttpBinding, MessageInfo, MethodInfo } from './method-info.ts';
export { messageOf, methodOf, methods, methodsOfService } from './methods.ts';
export { isUuid, NO_OBJECT, normalizeIds } from './normalize-ids.ts';
export type { JsonSchema } from './openapi/json-schema.ts';
export { type OpenApiDocument, openApiDocument, type Paths } from './openapi/openapi-document.ts';
export { redact } from './redact.ts';
export { type RowOf, rowMapper } from './row-mapper.ts';
export type { Rpc, ServiceDefinition } from './rpc.ts';
export { validateMessage } from './validate-message.ts';
