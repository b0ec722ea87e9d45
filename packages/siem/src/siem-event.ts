/** An audit event in the form that is sent to destinations. */
export interface SiemEvent {
  readonly id: string;
  readonly tenantId: string;
  /** Its sequence number in the tenant's log; a test event has none. */
  readonly sequence: number | undefined;
  /** Hex; empty for a test event. */
  readonly leafHash: string;
  readonly action: string;
  /** allowed | denied | failed */
  readonly outcome: string;
  readonly actorId: string;
  readonly actorName: string;
  readonly actorKind: string;
  readonly subjectType: string;
  readonly subjectId: string;
  readonly resourceId: string;
  readonly service: string;
  readonly sourceAddress: string;
  readonly requestId: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** RFC 3339, milliseconds, UTC. */
  readonly occurredAt: string;
}
