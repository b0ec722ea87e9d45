/** The services of one installation. */
export const serviceNames = ['auth', 'vault', 'workflow', 'audit', 'gateway'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** The services with a database: each has a schema and three roles. */
export const storeServices = ['auth', 'vault', 'workflow', 'audit'] as const;
export type StoreService = (typeof storeServices)[number];

export type Environment = 'development' | 'production' | 'test';

/** All users with a NATS password: the services, and `operator` for commands and tests. */
export const natsUsers = [...serviceNames, 'operator'] as const;

export function isStoreService(name: ServiceName): name is StoreService {
  return (storeServices as readonly string[]).includes(name);
}
