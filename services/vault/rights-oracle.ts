/**
 * A slow model of who may do what to a secret, written from docs/security.md and not from the source. It
 * knows only what has happened so far. Its people, entries and resources are numbers.
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
export interface ModelResource {
  owner: number;
  /** Whether it changes the passwords of its accounts through its admin entry. */
  readonly byAdmin: boolean;
  /** Whether it has an access policy of its own. */
  readonly policy: boolean;
  admin: number | undefined;
}
export interface NewEntry {
  readonly resource: number;
  readonly type: 'password' | 'ssh-key';
  readonly grant: boolean;
  readonly reason: boolean;
  /** The vault makes the secret: nobody knows it. */
  readonly generate: boolean;
  /** Of its rotations by schedule; 0 for none. */
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
  /** Another one after each change of its name or of the place of its resource. */
  account: number;
  shares: Map<number, 'view' | 'modify' | 'manage'>;
  grants: Grant[];
  requiresGrant: boolean;
  requiresReason: boolean;
  versions: Version[];
  rotation: 'idle' | 'under way' | 'out of step';
  proposer: number | undefined;
  deleted: boolean;
  unproven: boolean;
  /** Whether the target ever accepted the current secret of the account. */
  verified: boolean;
  /** The vault knew that it is out of step when the administrator was asked to rotate it. */
  lost: boolean;
}

export type WorkflowSays = 'pending' | 'approved' | 'away' | 'not governed';

/** What is tried at a target: the account as it was then, and its secret. */
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
  /** `person entry version`, of each secret that somebody learned or set. */
  readonly learned = new Set<string>();
  #accounts = 0;

  constructor(people: readonly Person[], resources: readonly ModelResource[]) {
    this.people = people;
    this.resources = resources;
  }

  /** What an owner of the resource stores there. */
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

  /** An account of a resource of others begins unproven, with at least the protection of what is there. */
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

  #standing(who: number, entry: number): boolean {
    return this.#modify(who, entry) || this.entries[entry]!.shares.has(who);
  }

  /** Of a resource: its owner, who has full access to its admin entry, and administrators. */
  #owns(who: number, resource: number): boolean {
    const { owner, admin } = this.resources[resource]!;
    if (this.people[who]!.role.administrator || owner === who) return true;
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

  /** The number of the current version. */
  #current(entry: number): number {
    return this.entries[entry]!.versions.findIndex(({ state }) => state === 'current') + 1;
  }

  /** The secret, or undefined where it may not be seen. */
  retrieve(who: number, entry: number, version: number | undefined, reason: boolean): string | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.retrieve')) return undefined;
    if (e.requiresReason && !reason) return undefined;
    const grants = this.#grantsOf(who, entry);
    const lasting = grants.some((grant) => !grant.oneTime);
    const once = grants.find((grant) => grant.oneTime && !grant.delivered);
    const wanted = version ?? this.#current(entry);
    const { value, state } = e.versions[wanted - 1] ?? {};
    if (lasting || (!e.requiresGrant && this.#standing(who, entry))) {
      if (state !== 'current' && state !== 'previous') return undefined;
    } else if (once && version === undefined) {
      once.delivered = true;
    } else return undefined;
    this.#learn(who, entry, wanted);
    return value;
  }

  /** What the target may hold, newest first: candidates, the current one, and the one before it. */
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

  /** A change of the entry itself; none is made while a rotation of it is under way. */
  #mayUpdate(who: number, entry: number, level: 'modify' | 'full'): boolean {
    const { deleted, rotation } = this.entries[entry]!;
    if (deleted || rotation === 'under way' || !this.#holds(who, 'vault.entries.update')) return false;
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

  /** Without a schedule no target is changed. */
  schedule(who: number, entry: number, hours: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.update') || !this.#full(who, entry)) return false;
    return hours === 0 || (e.type === 'password' && this.#mayRotateAt(who, e.resource));
  }

  /** Through an admin entry takes a right to that entry, or owning the resource. */
  #mayRotateAt(who: number, resource: number): boolean {
    const { owner, byAdmin, admin } = this.resources[resource]!;
    if (!byAdmin || admin === undefined) return true;
    return this.people[who]!.role.administrator || owner === who || this.#modify(who, admin);
  }

  /** Whether a rotation is queued. Whoever asks for it learns nothing by that. */
  rotate(who: number, entry: number): boolean {
    const e = this.entries[entry]!;
    if (e.deleted || !this.#holds(who, 'vault.entries.rotate') || !this.#modify(who, entry)) return false;
    if (e.rotation === 'under way' || !this.canRotate(entry) || !this.#mayRotateAt(who, e.resource))
      return false;
    e.lost = e.rotation === 'out of step' && this.resources[e.resource]!.byAdmin;
    e.rotation = 'under way';
    return true;
  }

  /** The secret that the vault made for the rotation. */
  candidate(entry: number, value: string): void {
    this.entries[entry]!.versions.push({ value, state: 'pending' });
  }

  /** Whether the secret of the account may be changed at the target as it is now. */
  canRotate(entry: number): boolean {
    const { type, unproven, resource } = this.entries[entry]!;
    const { byAdmin, admin } = this.resources[resource]!;
    if (type !== 'password' || unproven) return false;
    return !byAdmin || (admin !== undefined && !this.entries[admin]!.unproven);
  }

  /** An administrator changes it only after the account logged in, unless nobody knows the secret or ever tried it. */
  mayGoOn(entry: number, currentAccepted: boolean): boolean {
    const e = this.entries[entry]!;
    if (e.lost) return true;
    if (!currentAccepted) return !e.verified;
    e.verified = true;
    return true;
  }

  /** The target took the candidate, or it refused the account's own login, or that of the admin entry. */
  rotated(entry: number, outcome: 'applied' | 'account refused' | 'admin refused'): void {
    const e = this.entries[entry]!;
    if (outcome === 'applied') {
      this.#promote(entry, e.versions.length);
      e.verified = true;
      return;
    }
    e.versions.at(-1)!.state = 'rejected';
    e.rotation = outcome === 'admin refused' && !e.lost ? 'idle' : 'out of step';
  }

  /** The login that is tried with the account's own secret; undefined where it may not be. */
  verify(who: number, entry: number): Login | undefined {
    const e = this.entries[entry]!;
    if (e.deleted || e.type !== 'password' || !this.#holds(who, 'vault.entries.rotate')) return undefined;
    const granted = e.grants.some(
      (grant) => grant.live && grant.user === who && !(grant.oneTime && grant.delivered),
    );
    if (!granted && !this.#standing(who, entry)) return undefined;
    return this.login(entry);
  }

  login(entry: number): Login {
    const { account, versions } = this.entries[entry]!;
    const version = this.#current(entry);
    return { entry, account, version, secret: versions[version - 1]!.value };
  }

  /** The target accepted a login: it proves the account that was tried, none that the entry has become. */
  verified({ entry, account, version }: Login): void {
    const e = this.entries[entry]!;
    if (e.account !== account || this.#current(entry) !== version) return;
    e.unproven = false;
    e.verified = true;
  }

  /** Accounts log in to the host: it sees their secrets, and so does who names it. */
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
    // At another host they are other accounts.
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
