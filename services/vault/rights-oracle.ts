/**
 * A slow reference model of access to secrets, written from docs/security.md and not from the source. It
 * knows only the calls made so far. People, entries and resources are numbers.
 */

export interface Role {
  readonly administrator: boolean;
  readonly permissions: ReadonlySet<string>;
}
export interface Person {
  readonly role: Role;
  /** The responsible person, if this is a machine identity. */
  readonly madeBy?: number;
}
export interface ModelResource {
  owner: number;
  /** Whether the resource rotates with its admin entry. */
  readonly byAdmin: boolean;
  /** Whether the resource has an access policy of its own. */
  readonly policy: boolean;
  admin: number | undefined;
}
export interface NewEntry {
  readonly resource: number;
  readonly type: 'password' | 'ssh-key';
  readonly grant: boolean;
  readonly reason: boolean;
  /** The vault generates the secret: no actor has seen it. */
  readonly generate: boolean;
  /** Interval of scheduled rotations in hours; 0 for none. */
  readonly hours: number;
}

interface Grant {
  readonly user: number;
  readonly oneTime: boolean;
  delivered: boolean;
  live: boolean;
}
interface Version {
  readonly value: string;
  state: 'pending' | 'current' | 'previous' | 'rejected';
}
interface ModelEntry {
  owner: number;
  readonly resource: number;
  readonly type: NewEntry['type'];
  /** Changes with the user name and with the address of the resource. */
  account: number;
  shares: Map<number, 'view' | 'modify' | 'manage'>;
  grants: Grant[];
  requiresGrant: boolean;
  requiresReason: boolean;
  versions: Version[];
  rotation: 'idle' | 'open' | 'out of sync';
  proposer: number | undefined;
  deleted: boolean;
  unproven: boolean;
  /** Whether the target has accepted the current secret of the account. */
  verified: boolean;
  /** Whether the entry was out of sync when the rotation with the admin entry was requested. */
  lost: boolean;
}

export type WorkflowSays = 'pending' | 'approved' | 'away' | 'not governed';

/** A login at a target: the account at that time, and its secret. */
export interface Login {
  readonly entry: number;
  readonly account: number;
  readonly version: number;
  readonly secret: string;
}

export class Oracle {
  readonly people: readonly Person[];
  readonly resources: readonly ModelResource[];
  readonly entries: ModelEntry[] = [];
  readonly gone = new Set<number>();
  /** `person entry version` of each secret that a person saw or set. */
  readonly learned = new Set<string>();
  #accounts = 0;

  constructor(people: readonly Person[], resources: readonly ModelResource[]) {
    this.people = people;
    this.resources = resources;
  }

  /** Stores an entry of the resource's owner. */
  add(owner: number, made: NewEntry, value: string): void {
    this.#accounts += 1;
    this.entries.push({
      owner,
      resource: made.resource,
      type: made.type,
      account: this.#accounts,
      shares: new Map(),
      grants: [],
      requiresGrant: made.grant,
      requiresReason: made.reason,
      versions: [{ value, state: 'current' }],
      rotation: 'idle',
      proposer: undefined,
      deleted: false,
      unproven: false,
      verified: false,
      lost: false,
    });
    if (!made.generate) this.#learn(owner, this.entries.length - 1, 1);
  }

  /**
   * An account on another owner's resource starts unproven, with at least the protection of the resource's
   * accounts.
   */
  create(who: number, made: NewEntry, value: string): void {
    const unproven = !this.#owns(who, made.resource);
    const { policy, admin } = this.resources[made.resource]!;
    const there = this.entries.filter(
      (e, entry) => !e.deleted && (e.resource === made.resource || entry === admin),
    );
    const grant = made.grant || (unproven && (policy || there.some((e) => e.requiresGrant)));
    const reason = made.reason || (unproven && there.some((e) => e.requiresReason));
    this.add(who, { ...made, grant, reason }, value);
    this.entries.at(-1)!.unproven = unproven;
  }

  mayCreate(who: number, { type, resource, hours }: NewEntry): boolean {
    if (!this.#holds(who, 'vault.entries.create')) return false;
    return hours === 0 || (type === 'password' && this.#mayRotateAt(who, resource));
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

  #maySee(who: number, entry: number): boolean {
    return this.#modify(who, entry) || this.entries[entry]!.shares.has(who);
  }

  /** Owners of a resource: its owner, actors with full access to its admin entry, and administrators. */
  #owns(who: number, resource: number): boolean {
    const { owner, admin } = this.resources[resource]!;
    if (this.people[who]!.role.administrator || owner === who) return true;
    return admin !== undefined && this.#full(who, admin);
  }

  /** The person's live grants; of an unproven account only those of its owner. */
  #grantsOf(who: number, entry: number): Grant[] {
    const { grants, unproven, owner } = this.entries[entry]!;
    if (unproven && owner !== who) return [];
    return grants.filter((grant) => grant.live && grant.user === who);
  }

  #learn(who: number, entry: number, version: number): void {
    this.learned.add(`${who} ${entry} ${version}`);
  }

  /** The current version. */
  #current(entry: number): number {
    return this.entries[entry]!.versions.findIndex(({ state }) => state === 'current') + 1;
  }

  /** The secret, or undefined if the person may not see it. */
  retrieve(who: number, entry: number, version: number | undefined, reason: boolean): string | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.retrieve')) return undefined;
    if (e.requiresReason && !reason) return undefined;
    const grants = this.#grantsOf(who, entry);
    const lasting = grants.some((grant) => !grant.oneTime);
    const once = grants.find((grant) => grant.oneTime && !grant.delivered);
    const wanted = version ?? this.#current(entry);
    const { value, state } = e.versions[wanted - 1] ?? {};
    if (lasting || (!e.requiresGrant && this.#maySee(who, entry))) {
      if (state !== 'current' && state !== 'previous') return undefined;
    } else if (once && version === undefined) {
      once.delivered = true;
    } else return undefined;
    this.#learn(who, entry, wanted);
    return value;
  }

  /** What the target may hold, newest first: pending versions, the current and the previous one. */
  recover(who: number, entry: number): string[] | undefined {
    const e = this.entries[entry]!;
    const lasting = e.grants.some((grant) => grant.live && grant.user === who && !grant.oneTime);
    if (e.deleted || !this.#holds(who, 'vault.recover') || !this.#full(who, entry)) return undefined;
    if (e.requiresGrant && !lasting) return undefined;
    const before = e.versions.findLastIndex(({ state }) => state === 'previous');
    const shown = e.versions.flatMap(({ state }, index) =>
      state !== 'previous' || index === before ? [index] : [],
    );
    for (const index of shown) this.#learn(who, entry, index + 1);
    return shown.reverse().map((index) => e.versions[index]!.value);
  }

  /** Whether the person may change the entry itself. Refused while a rotation is open. */
  #mayUpdate(who: number, entry: number, level: 'modify' | 'full'): boolean {
    const { deleted, rotation } = this.entries[entry]!;
    if (deleted || rotation === 'open' || !this.#holds(who, 'vault.entries.update')) return false;
    return level === 'full' ? this.#full(who, entry) : this.#modify(who, entry);
  }

  setValue(who: number, entry: number, value: string): boolean {
    if (!this.#mayUpdate(who, entry, 'modify')) return false;
    const { versions } = this.entries[entry]!;
    versions.push({ value, state: 'pending' });
    this.#promote(entry, versions.length);
    this.#learn(who, entry, versions.length);
    return true;
  }

  #promote(entry: number, version: number): void {
    const e = this.entries[entry]!;
    for (const each of e.versions) if (each.state === 'current') each.state = 'previous';
    e.versions[version - 1]!.state = 'current';
    e.rotation = 'idle';
    e.verified = false;
  }

  describe(who: number, entry: number): boolean {
    return this.#mayUpdate(who, entry, 'modify');
  }

  rename(who: number, entry: number): boolean {
    if (!this.#mayUpdate(who, entry, 'full')) return false;
    const e = this.entries[entry]!;
    this.#accounts += 1;
    e.account = this.#accounts;
    e.verified = false;
    e.unproven ||= !this.#owns(who, e.resource);
    return true;
  }

  /** An unproven account passes to the acceptor, and its shares end. */
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
    if (!this.#mayUpdate(who, entry, same ? 'modify' : 'full')) return false;
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
    if (e.rotation !== 'idle' || e.grants.some((grant) => grant.live)) return false;
    if (this.resources.some(({ admin }) => admin === entry)) return false;
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

  /** Setting a schedule of 0 hours requires no access to a target. */
  schedule(who: number, entry: number, hours: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update') || !this.#full(who, entry)) return false;
    return hours === 0 || (e.type === 'password' && this.#mayRotateAt(who, e.resource));
  }

  /** A rotation with an admin entry requires modify access to that entry, or ownership of the resource. */
  #mayRotateAt(who: number, resource: number): boolean {
    const { owner, byAdmin, admin } = this.resources[resource]!;
    if (!byAdmin || admin === undefined) return true;
    return this.people[who]!.role.administrator || owner === who || this.#modify(who, admin);
  }

  /** Whether a rotation is queued. The caller does not see the secret. */
  rotate(who: number, entry: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.rotate') || !this.#modify(who, entry)) return false;
    if (e.rotation === 'open' || !this.canRotate(entry) || !this.#mayRotateAt(who, e.resource)) return false;
    e.lost = e.rotation === 'out of sync' && this.resources[e.resource]!.byAdmin;
    e.rotation = 'open';
    return true;
  }

  /** The secret that the vault generated for the rotation. */
  candidate(entry: number, value: string): void {
    this.entries[entry]!.versions.push({ value, state: 'pending' });
  }

  /** Whether the secret can be changed on the target now. */
  canRotate(entry: number): boolean {
    const { type, unproven, resource } = this.entries[entry]!;
    const { byAdmin, admin } = this.resources[resource]!;
    if (type !== 'password' || unproven) return false;
    return !byAdmin || (admin !== undefined && !this.entries[admin]!.unproven);
  }

  /**
   * The admin entry changes the secret only after the account logged in, unless the secret is lost or was
   * never verified.
   */
  mayGoOn(entry: number, currentAccepted: boolean): boolean {
    const e = this.entries[entry]!;
    if (e.lost) return true;
    if (!currentAccepted) return !e.verified;
    e.verified = true;
    return true;
  }

  /**
   * The target accepted the pending version, or refused the account's own login or that of the admin entry.
   */
  rotated(entry: number, outcome: 'applied' | 'account refused' | 'admin refused'): void {
    const e = this.entries[entry]!;
    if (outcome === 'applied') {
      this.#promote(entry, e.versions.length);
      e.verified = true;
      return;
    }
    e.versions.at(-1)!.state = 'rejected';
    e.rotation = outcome === 'admin refused' && !e.lost ? 'idle' : 'out of sync';
  }

  /** The login with the account's own secret; undefined if it is not allowed. */
  verify(who: number, entry: number): Login | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || e.type !== 'password' || !this.#holds(who, 'vault.entries.rotate')) return undefined;
    const granted = e.grants.some(
      (grant) => grant.live && grant.user === who && !(grant.oneTime && grant.delivered),
    );
    if (!granted && !this.#maySee(who, entry)) return undefined;
    return this.login(entry);
  }

  login(entry: number): Login {
    const { account, versions } = this.entries[entry]!;
    const version = this.#current(entry);
    return { entry, account, version, secret: versions[version - 1]!.value };
  }

  /**
   * The target accepted a login. It proves the account of the login, even if the entry names another one now.
   */
  verified({ entry, account, version }: Login): void {
    const e = this.entries[entry]!;
    if (e.account !== account || this.#current(entry) !== version) return;
    e.unproven = false;
    e.verified = true;
  }

  /** A login sends the secret to the host, so the actor who sets the host can see it. */
  readdress(who: number, resource: number): boolean {
    const { admin } = this.resources[resource]!;
    const sent = this.entries.flatMap((e, entry) =>
      !e.deleted && (e.resource === resource || entry === admin) ? [entry] : [],
    );
    if (!this.#holds(who, 'resources.update') || !sent.every((entry) => this.#maySend(who, entry)))
      return false;
    const accounts = this.entries.filter((e) => !e.deleted && e.resource === resource);
    const owns = this.#owns(who, resource);
    if (!owns && accounts.length === 0) return false;
    // Another host has other accounts.
    for (const e of accounts) {
      this.#accounts += 1;
      e.account = this.#accounts;
      e.unproven ||= !owns;
    }
    return true;
  }

  administer(who: number, resource: number, entry: number): boolean {
    if (this.entries[entry]!.deleted || !this.#holds(who, 'resources.update')) return false;
    if (this.resources[resource]!.admin === entry) return true;
    if (!this.#maySend(who, entry) || !this.#owns(who, resource)) return false;
    if (this.entries[entry]!.unproven) return false;
    this.resources[resource]!.admin = entry;
    return true;
  }

  #maySend(who: number, entry: number): boolean {
    if (this.people[who]!.role.administrator) return true;
    return this.#full(who, entry) && !this.entries[entry]!.requiresGrant;
  }

  giveResource(who: number, resource: number, to: number): boolean {
    if (!this.#holds(who, 'resources.update') || this.gone.has(to)) return false;
    if (this.resources[resource]!.owner !== who && !this.people[who]!.role.administrator) return false;
    this.resources[resource]!.owner = to;
    return true;
  }

  adopt(who: number, entry: number): 'adopted' | 'proposed' | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update') || !this.gone.has(e.owner)) return undefined;
    const heir = this.resources[e.resource]!.owner;
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
