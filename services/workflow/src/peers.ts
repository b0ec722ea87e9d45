import type * as auth from '@claviger/contracts/auth/v1/auth';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type * as emergencyRestriction from '@claviger/contracts/auth/v1/emergency_restriction';
import type * as emergency from '@claviger/contracts/vault/v1/emergency';
import type * as vault from '@claviger/contracts/vault/v1/vault';
import type { ServiceClient } from '@claviger/service-kit';

/** The vault: resources, entries and entitlements. */
export type Vault = ServiceClient<typeof vault.EntitlementsService>;
/** Opens and closes emergency access in the vault. */
export type Emergency = ServiceClient<typeof emergency.EmergencyService>;
/** Restricts the administration rights of a user in emergency access. */
export type EmergencyRestriction = ServiceClient<typeof emergencyRestriction.EmergencyRestrictionService>;
export type Directory = Pick<ServiceClient<typeof auth.DirectoryService>, 'getUserNames'>;
/** Devices, and the users behind the names that devices report. */
export type Devices = Pick<
  ServiceClient<typeof devices.DeviceDirectoryService>,
  'describeDevice' | 'resolveSubject' | 'listPermittedUsers'
>;
