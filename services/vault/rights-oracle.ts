/**
 * A slow model of who may do what to a secret, written from docs/security.md and not from the source. It knows only what has
 * happened so far. Its people, entries and resources are numbers.
 */

export interface Role {
  readonly administrator: boolean;
  readonly permissions: ReadonlySet<string>;
}
export interface Person {
  readonly role: Role;
  /** Whose machine it is. */
  readonly madeBy?: number;
}

interface Grant {
  readonly user: number;
  readonly oneTime: boolean;
  delivered: boolean;
  live: boolean;
}
interface ModelEntry {
  owner: number;
  readonly resource: number;
  shares: Map<number, 'view' | 'modify' | 'manage'>;
  grants: Grant[];
  requiresGrant: boolean;
  requiresReason: boolean;
  values: string[];
  proposer: number | undefined;
  deleted: boolean;
  unproven: boolean;
}

export type WorkflowSays = 'pending' | 'approved' | 'away' | 'not governed';

export class Oracle {
  readonly people: readonly Person[];
  readonly entries: ModelEntry[] = [];
  readonly resourceOwners: number[];
  readonly adminEntries: (number | undefined)[];
  readonly gone = new Set<number>();
  /** `person entry version`, of each secret that somebody learned or set. */
  readonly learned = new Set<string>();

  constructor(people: readonly Person[], resourceOwners: readonly number[]) {
    this.people = people;
    this.resourceOwners = [...resourceOwners];
    this.adminEntries = resourceOwners.map(() => undefined);
  }

  add(owner: number, resource: number, protection: { grant: boolean; reason: boolean }, value: string): void {
    this.entries.push({
      owner,
      resource,
      shares: new Map(),
      grants: [],
      requiresGrant: protection.grant,
      requiresReason: protection.reason,
      values: [value],
      proposer: undefined,
      deleted: false,
      unproven: false,
    });
    this.#learn(owner, this.entries.length - 1, 1);
  }

  #holds(who: number, permission: string): boolean {
    const { role } = this.people[who]!;
    return role.administrator || role.permissions.has(permission);
  }

  #full(who: number, entry: number): boolean {
    const { owner, shares } = this.entries[entry]!;
    return owner === who || shares.get(who) === 'manage' || this.people[who]!.role.administrator;
  }

  #modify(who: number, entry: number): boolean {
    return this.#full(who, entry) || this.entries[entry]!.shares.get(who) === 'modify';
  }

  #standing(who: number, entry: number): boolean {
    return this.#modify(who, entry) || this.entries[entry]!.shares.has(who);
  }

  /** Of a resource: its owner, who has full access to its admin entry, and administrators. */
  #owns(who: number, resource: number): boolean {
    if (this.people[who]!.role.administrator || this.resourceOwners[resource] === who) return true;
    const admin = this.adminEntries[resource];
    return admin !== undefined && this.#full(who, admin);
  }

  /** Their live grants; of an unproven account those of its owner only. */
  #grantsOf(who: number, entry: number): Grant[] {
    const { grants, unproven, owner } = this.entries[entry]!;
    if (unproven && owner !== who) return [];
    return grants.filter((grant) => grant.live && grant.user === who);
  }

  #learn(who: number, entry: number, version: number): void {
    this.learned.add(`${who} ${entry} ${version}`);
  }

  /** The secret, or undefined where it may not be seen. */
  retrieve(who: number, entry: number, version: number | undefined, reason: boolean): string | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.retrieve')) return undefined;
    if (e.requiresReason && !reason) return undefined;
    const grants = this.#grantsOf(who, entry);
    const lasting = grants.some((grant) => !grant.oneTime);
    const once = grants.find((grant) => grant.oneTime && !grant.delivered);
    const wanted = version ?? e.values.length;
    if (lasting || (!e.requiresGrant && this.#standing(who, entry))) {
      if (wanted > e.values.length) return undefined;
    } else if (once && version === undefined) {
      once.delivered = true;
    } else return undefined;
    this.#learn(who, entry, wanted);
    return e.values[wanted - 1];
  }

  recover(who: number, entry: number): string[] | undefined {
    const e = this.entries[entry]!;
    const lasting = e.grants.some((grant) => grant.live && grant.user === who && !grant.oneTime);
    if (e.deleted || !this.#holds(who, 'vault.recover') || !this.#full(who, entry)) return undefined;
    if (e.requiresGrant && !lasting) return undefined;
    const versions = [e.values.length, e.values.length - 1].filter((version) => version > 0);
    for (const version of versions) this.#learn(who, entry, version);
    return versions.map((version) => e.values[version - 1]!);
  }

  setValue(who: number, entry: number, value: string): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update') || !this.#modify(who, entry)) return false;
    e.values.push(value);
    this.#learn(who, entry, e.values.length);
    return true;
  }

  describe(who: number, entry: number): boolean {
    return (
      !this.entries[entry]!.deleted && this.#holds(who, 'vault.entries.update') && this.#modify(who, entry)
    );
  }

  rename(who: number, entry: number): boolean {
    if (!this.#mayRename(who, entry)) return false;
    const e = this.entries[entry]!;
    e.unproven ||= !this.#owns(who, e.resource);
    return true;
  }

  #mayRename(who: number, entry: number): boolean {
    return (
      !this.entries[entry]!.deleted && this.#holds(who, 'vault.entries.update') && this.#full(who, entry)
    );
  }

  /** An unproven account becomes the acceptor’s, and its shares end. */
  accept(who: number, entry: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update')) return false;
    if (!e.unproven || !this.#owns(who, e.resource)) return false;
    e.unproven = false;
    e.shares = new Map();
    this.#pass(entry, who);
    return true;
  }

  protect(who: number, entry: number, grant: boolean, reason: boolean, workflow: WorkflowSays): boolean {
    const e = this.entries[entry]!;
    const same = e.requiresGrant === grant && e.requiresReason === reason;
    if (!(same ? this.describe(who, entry) : this.#mayRename(who, entry))) return false;
    const lowers = (e.requiresGrant && !grant) || (e.requiresReason && !reason);
    if (lowers && workflow !== 'approved' && workflow !== 'not governed') return false;
    e.requiresGrant = grant;
    e.requiresReason = reason;
    return true;
  }

  share(who: number, entry: number, user: number, access: 'view' | 'modify' | 'manage' | 'none'): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.shares.manage') || !this.#full(who, entry)) return false;
    if (access !== 'none' && this.gone.has(user)) return false;
    if (access !== 'none') e.shares.set(user, access);
    else if (!e.shares.delete(user)) return false;
    return true;
  }

  remove(who: number, entry: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.delete') || !this.#full(who, entry)) return false;
    if (e.grants.some((grant) => grant.live) || this.adminEntries.includes(entry)) return false;
    e.deleted = true;
    return true;
  }

  place(entry: number, user: number, oneTime: boolean): number | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || e.grants.some((grant) => grant.live && grant.user === user)) return undefined;
    return e.grants.push({ user, oneTime, delivered: false, live: true }) - 1;
  }

  end(entry: number, grant: number): void {
    this.entries[entry]!.grants[grant]!.live = false;
  }

  schedule(who: number, entry: number): boolean {
    return this.#mayRename(who, entry);
  }

  /** Accounts log in to the host: it sees their secrets, and so does who names it. */
  readdress(who: number, resource: number): boolean {
    const admin = this.adminEntries[resource];
    const sent = this.entries.flatMap((e, entry) =>
      !e.deleted && (e.resource === resource || entry === admin) ? [entry] : [],
    );
    if (!this.#holds(who, 'resources.update') || !sent.every((entry) => this.#maySend(who, entry)))
      return false;
    if (this.#owns(who, resource)) return true;
    const accounts = this.entries.filter((e) => !e.deleted && e.resource === resource);
    // At another host they are other accounts.
    for (const e of accounts) e.unproven = true;
    return accounts.length > 0;
  }

  administer(who: number, resource: number, entry: number): boolean {
    if (this.entries[entry]!.deleted || !this.#holds(who, 'resources.update')) return false;
    if (this.adminEntries[resource] === entry) return true;
    if (!this.#maySend(who, entry) || !this.#owns(who, resource)) return false;
    if (this.entries[entry]!.unproven) return false;
    this.adminEntries[resource] = entry;
    return true;
  }

  #maySend(who: number, entry: number): boolean {
    if (this.people[who]!.role.administrator) return true;
    return this.#full(who, entry) && !this.entries[entry]!.requiresGrant;
  }

  giveResource(who: number, resource: number, to: number): boolean {
    if (!this.#holds(who, 'resources.update') || this.gone.has(to)) return false;
    if (this.resourceOwners[resource] !== who && !this.people[who]!.role.administrator) return false;
    this.resourceOwners[resource] = to;
    return true;
  }

  adopt(who: number, entry: number): 'adopted' | 'proposed' | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update') || !this.gone.has(e.owner)) return undefined;
    const heir = this.resourceOwners[e.resource]!;
    if (!this.gone.has(heir)) {
      if (who !== heir) return undefined;
      this.#pass(entry, heir);
      return 'adopted';
    }
    if (!this.#holds(who, 'vault.entries.adopt') || this.people[who]!.madeBy !== undefined) return undefined;
    if (e.proposer === undefined || this.gone.has(e.proposer)) {
      e.proposer = who;
      return 'proposed';
    }
    if (e.proposer === who) return undefined;
    this.#pass(entry, e.proposer);
    return 'adopted';
  }

  #pass(entry: number, to: number): void {
    const e = this.entries[entry]!;
    e.owner = to;
    e.proposer = undefined;
  }
}
