import type { MethodInfo } from '@claviger/contracts';
import type { Actor } from './actor.ts';

/** What a handler knows about the call beside its request. */
export interface CallContext {
  readonly method: MethodInfo;
  /** Service named in the caller's certificate. */
  readonly caller: string;
  /** Of the actor; of an internal call, the tenant that the caller acts in. Throws when the call has none. */
  readonly tenantId: string;
  readonly hasTenant: boolean;
  /** Throws on a public or internal call without one. */
  readonly actor: Actor;
  readonly actorIfAny: Actor | undefined;
  /** The actor token itself, to pass on to a service that it also names as audience. */
  readonly actorToken: string | undefined;
  /** Correlates gateway, services, log and audit. */
  readonly requestId: string;
  /** Address of the client at the edge; empty for internal calls. */
  readonly sourceAddress: string;
  /** Aborts when the caller cancels or the deadline passes. */
  readonly signal: AbortSignal;
  readonly deadline: Date;
  /** Set by recordAudit: the pipeline refuses an audited method that succeeded without an event. */
  audited: boolean;
  /** Subject of the call, for the audit event of a denial or failure; handlers may set it as soon as they know it. */
  auditSubject: AuditSubject | undefined;
  /** Tenant for the audit event of a failure on a public method, once the handler knows it. */
  auditTenantId: string | undefined;
  /** Who tried, when the call has no actor (a failed sign-in). */
  auditActorId: string | undefined;
  /** Their user name, beside `auditActorId`. */
  auditActorName?: string | undefined;
  /**
   * By which right the actor has the access that the method's policy declares, e.g. `owner`; set by the check of it. Without
   * it such a method records no success, so that a handler cannot forget the check.
   */
  accessBasis?: string | undefined;
  /** While the handler of a call with an idempotency key runs: its row goes into the transaction of the audit event. */
  idempotentCall?: IdempotentCall | undefined;
}

export interface AuditSubject {
  readonly type: string;
  readonly id: string;
  readonly resourceId?: string;
}

/** What a call with an idempotency key writes beside its effect. */
export interface IdempotentCall {
  readonly actorId: string;
  readonly keyDigest: Buffer;
  readonly requestDigest: Buffer;
  /** Of this one try: a row with another one was written by another try. */
  readonly claimId: string;
  readonly keepsAnswer: boolean;
}
