/**
 * What is known of one request at the instant it is decided: everything a verdict may depend on, stored with
 * it. A value of null is known not to exist (an unsigned file has no signer); a missing one is not known, and
 * a rule that would have to know it leaves the request pending.
 */
export type Facts = ElevationFacts | ToolFacts | AccessFacts;

interface CommonFacts {
  /** When, as RFC 3339 with an offset. The evaluator has no clock of its own. */
  readonly at: string;
  /** The site of the device; null for what belongs to no site. */
  readonly siteId?: string | null;
  /** Who would benefit: the product's user behind the subject; null when it is known that there is none. */
  readonly subjectUserId?: string | null;
  /**
   * Others who would gain: whom the name might mean too, and who stands behind the caller. Absent: nobody
   * else.
   */
  readonly otherUserIds?: readonly string[];
  /** Who uses the device of a prompt. Null: not known, or too many to be told. Absent: nobody else. */
  readonly deviceUserIds?: readonly string[] | null;
  /** The subject as the device or the directory writes it, `acme\sarah`. */
  readonly username?: string | null;
  /** All groups of the subject then. */
  readonly groups?: readonly string[];
}

/** A prompt on a device, or a technician who wants to be administrator for a while. */
export interface ElevationFacts extends CommonFacts {
  readonly kind: 'elevation';
  readonly flowType: 'uac_intercept' | 'tech_jit_admin';
  /** As reported; made canonical here. */
  readonly path?: string | null;
  /** SHA-256, hexadecimal. */
  readonly hash?: string | null;
  readonly signer?: string | null;
  readonly parentImage?: string | null;
}

/** What an AI tool wants to do. */
export interface ToolFacts extends CommonFacts {
  readonly kind: 'tool';
  readonly toolName?: string | null;
  /** 0 to 4. */
  readonly riskTier?: number | null;
  /** SHA-256 of the canonical action: an approval holds for this action alone. */
  readonly actionDigest?: string | null;
}

/** A request for access to a resource. `subjectUserId` asks. */
export interface AccessFacts extends CommonFacts {
  readonly kind: 'access';
  /** Null for an entry without a resource. */
  readonly resourceId?: string | null;
  readonly durationMinutes?: number | null;
  readonly reason?: string | null;
}

export type FactName =
  | 'at'
  | 'siteId'
  | 'subjectUserId'
  | 'username'
  | 'groups'
  | 'path'
  | 'hash'
  | 'signer'
  | 'parentImage'
  | 'toolName'
  | 'riskTier'
  | 'actionDigest'
  | 'resourceId'
  | 'durationMinutes'
  | 'reason';

export type FlowType = 'uac_intercept' | 'tech_jit_admin' | 'ai_tool_action';
