import { randomUUID } from 'node:crypto';
import { ClavigerError } from '@claviger/errors';
import type { Actor } from '@claviger/service-kit';
import type { Devices } from './src/peers.ts';

interface Device {
  readonly tenantId: string;
  readonly hostname: string;
  readonly siteId: string;
  readonly enrolledBy: string;
  status: string;
}

interface Person {
  readonly userId?: string;
  readonly possibleUserIds?: readonly string[];
  readonly groups?: readonly string[];
}

/**
 * Test double of auth's device directory; it can be made unavailable. The network tests use the real service.
 */
export class DeviceRecorder {
  away = false;
  readonly #devices = new Map<string, Device>();
  readonly #people = new Map<string, Person>();
  /** Runs while a name is being resolved. */
  whileResolving: () => Promise<void> = async () => {};

  /** Adds a device to the tenant. Returns its agent. */
  add(tenantId: string, options: { siteId?: string; enrolledBy?: string } = {}): Actor {
    const id = randomUUID();
    const hostname = `WIN-${id.slice(0, 8)}`;
    const { siteId = '', enrolledBy = randomUUID() } = options;
    this.#devices.set(id, { tenantId, hostname, siteId, enrolledBy, status: 'active' });
    return {
      userId: id,
      userName: hostname,
      tenantId,
      platform: false,
      sessionId: randomUUID(),
      kind: 'agent',
      permissions: new Set(),
      roles: [],
      mfaPending: false,
      mfaAt: 0,
      device: { siteId: options.siteId ?? null, siteName: options.siteId ? 'HQ' : '' },
    };
  }

  decommission(deviceId: string): void {
    this.#devices.get(deviceId)!.status = 'decommissioned';
  }

  /** Links a name to a person from now on. */
  link(username: string, person: Person): void {
    this.#people.set(username, person);
  }

  readonly client: Devices = {
    describeDevice: async ({ deviceId }, options) => {
      this.#answer();
      const device = this.#devices.get(deviceId);
      if (device?.tenantId !== options?.tenantId || !device) throw ClavigerError.notFound();
      const { hostname, siteId, status } = device;
      return { id: deviceId, hostname, siteId, siteName: siteId && 'HQ', status, hasToken: true };
    },
    resolveSubject: async ({ username, deviceId }) => {
      this.#answer();
      await this.whileResolving();
      const person = this.#people.get(username);
      return {
        userId: person?.userId ?? '',
        userName: '',
        groups: [...(person?.groups ?? [])],
        groupsKnown: person?.groups !== undefined,
        possibleUserIds: [...(person?.possibleUserIds ?? (person?.userId ? [person.userId] : []))],
        deviceEnrollerIds: this.#devices.has(deviceId) ? [this.#devices.get(deviceId)!.enrolledBy] : [],
      };
    },
    listPermittedUsers: async () => ({ users: [], truncated: false }),
  };

  #answer(): void {
    if (this.away) throw new ClavigerError('unavailable', 'A part of the system cannot be reached.');
  }
}
