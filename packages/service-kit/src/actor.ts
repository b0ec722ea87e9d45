/** Who acts, as auth vouched for it within the last minute. */
export interface Actor {
  readonly userId: string;
  readonly userName: string;
  readonly tenantId: string;
  /** Of the tenant that runs the installation. */
  readonly platform: boolean;
  readonly sessionId: string;
  /** An agent is a device: `userId` is the id of the device, `userName` its host name. */
  readonly kind: 'user' | 'api-token' | 'agent';
  readonly permissions: ReadonlySet<string>;
  /** Names of the roles of the user. */
  readonly roles: readonly string[];
  /** The session still owes its second factor: it may only complete the challenge or end. */
  readonly mfaPending: boolean;
  /** When a second factor was last proved in this session, epoch seconds; 0 when never. */
  readonly mfaAt: number;
  /** They have emergency access open, and administer nothing meanwhile. */
  readonly emergency?: boolean;
  /** The sites that a technician is kept to; absent: every site. */
  readonly siteIds?: readonly string[];
  /** Of a machine: the person who is responsible for it. */
  readonly responsibleId?: string;
  /**
   * The people whose account this is as well: who is responsible for a machine, and who set a password that its person has not
   * changed. What the actor does counts as theirs.
   */
  readonly behind?: readonly string[];
  /** Of an agent: where its device stands. */
  readonly device?: DeviceClaims;
}

export interface DeviceClaims {
  /** Null for none. */
  readonly siteId: string | null;
  readonly siteName: string;
}

/** The people who stand behind an actor: nobody among them decides about what the actor asks for. */
export function peopleBehind(actor: Pick<Actor, 'userId' | 'behind'>): readonly string[] {
  return [actor.userId, ...(actor.behind ?? []).filter((id) => id !== actor.userId)];
}

/** Whether an actor may touch what stands in this site; null stands for what belongs to none. */
export function withinSites(actor: Pick<Actor, 'siteIds'>, siteId: string | null): boolean {
  return actor.siteIds === undefined || (siteId !== null && actor.siteIds.includes(siteId));
}

/** Permissions in roles may end in `*`: `vault.*` covers `vault.entries.read`, `*` covers everything. */
export function permits(granted: ReadonlySet<string>, permission: string): boolean {
  if (granted.has(permission) || granted.has('*')) return true;
  let dot = permission.lastIndexOf('.');
  while (dot > 0) {
    if (granted.has(`${permission.slice(0, dot)}.*`)) return true;
    dot = permission.lastIndexOf('.', dot - 1);
  }
  return false;
}
