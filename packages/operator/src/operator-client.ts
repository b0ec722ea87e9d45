import * as auth from '@claviger/contracts/auth/v1/auth';
import { baseConfigSchema, createPeers, loadConfig } from '@claviger/service-kit';

/** Calls auth with the operator's certificate, which only the account that runs the installation can read. */
async function withOperator<T>(
  configFile: string,
  use: (client: ReturnType<typeof operatorOf>) => Promise<T>,
): Promise<T> {
  const peers = createPeers(loadConfig(baseConfigSchema, configFile));
  try {
    return await use(operatorOf(peers));
  } finally {
    peers.close();
  }
}

const operatorOf = (peers: ReturnType<typeof createPeers>) => peers.client('auth', auth.OperatorService);

/**
 * Creates a one-time link for the first administrator; null if the tenant has a user. Throws ClavigerError.
 */
export function createSetupLink(configFile: string): Promise<string | null> {
  return withOperator(configFile, async (client) => {
    const answer = await client.createSetupLink({ tenant: '' });
    return answer.setupUrl ?? null;
  });
}

/** Unlocks an administrator. Throws ClavigerError. */
export function unlockAdministrator(
  configFile: string,
  request: auth.UnlockAdministratorRequest,
): Promise<auth.UnlockAdministratorResponse> {
  return withOperator(configFile, (client) => client.unlockAdministrator(request));
}

/** Creates the first administrator with a generated password; refused (conflict) once there is a user. */
export function bootstrapAdministrator(
  configFile: string,
  username: string,
): Promise<auth.BootstrapAdministratorResponse> {
  return withOperator(configFile, (client) => client.bootstrapAdministrator({ username, tenant: '' }));
}
