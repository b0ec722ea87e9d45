import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type * as emergencyStanding from '@claviger/contracts/auth/v1/emergency_standing';
import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { ServiceClient } from '@claviger/service-kit';

/** The vault as workflow knows it: what exists, and who is entitled to what until when. */
export type Vault = ServiceClient<typeof vault.EntitlementsService>;
/** What the vault opens in an emergency. */
export type Emergency = ServiceClient<typeof emergency.EmergencyService>;
/** Who administers nothing meanwhile. */
export type Standing = ServiceClient<typeof emergencyStanding.EmergencyStandingService>;
export type Directory = Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
/** What auth knows of devices and of the names that they report. */
export type Devices = Pick<
  ServiceClient<typeof devices.DeviceDirectoryService>,
  'describeDevice' | 'resolveSubject' | 'listPermittedUsers'
>;
