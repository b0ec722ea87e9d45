/**
 * The facts of one request at the time of its decision, stored with it. A verdict depends on nothing else.
 * Null: the value is known not to exist (an unsigned file has no signer). Missing: the value is unknown, and
 * a rule that needs it leaves the request pending.
 */
export type Facts = ElevationFacts | ToolFacts | AccessFacts;

interface CommonFacts {
  /** The time as RFC 3339 with an offset. The evaluator has no clock. */
  readonly at: string;
  /** The site of the device; null if there is none. */
  readonly siteId?: string | null;
  /** The user who would benefit; null if the subject is known to be no user. */
  readonly subjectUserId?: string | null;
  /**
   * Other users who would benefit: all users whom the name can mean, and the people responsible for the
   * caller. Absent: none.
   */
  readonly otherUserIds?: readonly string[];
  /** Users of the device of a prompt. Null: unknown, or too many to list. Absent: no others. */
  readonly deviceUserIds?: readonly string[] | null;
  /** The subject as the device or the directory spells it, `acme\sarah`. */
  readonly username?: string | null;
  /** All groups of the subject at that time. */
  readonly groups?: readonly string[];
}

/** A prompt on a device, or a technician who requests administrator rights for some time. */
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

/** The action that an AI tool requests. */
export interface ToolFacts extends CommonFacts {
  readonly kind: 'tool';
  readonly toolName?: string | null;
  /** 0 to 4. */
  readonly riskTier?: number | null;
  /** SHA-256 of the canonical action: an approval is valid for this action only. */
  readonly actionDigest?: string | null;
}

/** A request for access to a resource by `subjectUserId`. */
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
