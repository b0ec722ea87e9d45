import type { MethodInfo } from '@claviger/contracts';
import type { Actor } from './actor.ts';

/** What a handler knows about a call besides its request. */
export interface CallContext {
  readonly method: MethodInfo;
  /** The service named in the caller's certificate. */
  readonly caller: string;
  /** The actor's tenant, or the tenant that an internal call names. Throws when the call has none. */
  readonly tenantId: string;
  readonly hasTenant: boolean;
  /** Throws on a public or internal call without an actor. */
  readonly actor: Actor;
  readonly actorIfAny: Actor | undefined;
  /** The encoded actor token, to be passed to another service that is in its audience. */
  readonly actorToken: string | undefined;
  /** Correlates gateway, services, logs and audit events. */
  readonly requestId: string;
  /** The client's address at the edge; empty for internal calls. */
  readonly sourceAddress: string;
  /** Aborts when the caller cancels or the deadline passes. */
  readonly signal: AbortSignal;
  readonly deadline: Date;
  /** Set by the emitter. The pipeline fails an audited method that succeeds without an event. */
  audited: boolean;
  /** Puts malformed ids back into the request (`normalizeIds`), before its refusal is recorded. */
  restoreIds?: (() => void) | undefined;
  /** Subject for the event of a denial or failure. Handlers set it as soon as they know it. */
  auditSubject: AuditSubject | undefined;
  /** Tenant for the event of a failure on a public method. The handler sets it once known. */
  auditTenantId: string | undefined;
  /** User id for the event when the call has no actor, e.g. a failed sign-in. */
  auditActorId: string | undefined;
  /** User name that belongs to `auditActorId`. */
  auditActorName?: string | undefined;
  /**
   * Why the actor has the access that the policy declares, e.g. `owner`. The access check sets it; without
   * it, recording the success throws, so that a handler cannot skip the check.
   */
  accessBasis?: string | undefined;
  /**
   * Set while the handler of a call with an idempotency key runs. Its row is written with the audit event.
   */
  idempotentCall?: IdempotentCall | undefined;
}

export interface AuditSubject {
  readonly type: string;
  readonly id: string;
  readonly resourceId?: string;
}

/** What a call with an idempotency key writes in the transaction of its effect. */
export interface IdempotentCall {
  readonly actorId: string;
  readonly keyDigest: Buffer;
  readonly requestDigest: Buffer;
  /** Identifies this attempt. A row with another claim id was written by another attempt. */
  readonly claimId: string;
  readonly keepsAnswer: boolean;
}
