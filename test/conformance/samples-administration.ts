import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { Sample } from './samples.ts';
import type { World } from './world.ts';

const CONFIG = '/api/v1/admin/config';
let minutes = 5_000;

/** A change that was not there before. */
function change(): object {
  minutes += 1;
  return { values: { access: { maximumGrantMinutes: minutes } }, reason: 'conformance' };
}

/** A licence without limits, by a vendor whose key the platform takes from now on. */
async function licence({ platform }: World): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const id = randomUUID();
  await platform.must('PUT', CONFIG, {
    values: { licence: { publicKeys: [{ id, publicKey: publicKey.export({ format: 'jwk' }).x }] } },
  });
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const content = `${part({ alg: 'EdDSA', typ: 'claviger-licence+jwt', kid: id })}.${part({
    jti: randomUUID(),
    owner: 'Conformance',
    iat: Math.floor(Date.now() / 1_000),
  })}`;
  return `${content}.${sign(null, Buffer.from(content), privateKey).toString('base64url')}`;
}

export const administrationSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  GetConfig: () => ({}),
  UpdateConfig: () => ({ body: change() }),
  ListConfigVersions: () => ({}),
  GetConfigVersion: async ({ steppedUp }) => {
    const { rowVersion } = await steppedUp.must('PUT', CONFIG, change());
    return { params: { version: String(rowVersion) } };
  },
  GetLicense: () => ({}),
  ApplyLicense: async (world) => ({ body: { license: await licence(world) } }),
  GetUpdatesStatus: () => ({}),
};

/** Four versions of the configuration, so that their list can be paged through. */
export async function fillConfigVersions({ steppedUp }: World): Promise<void> {
  for (let version = 0; version < 4; version += 1) await steppedUp.must('PUT', CONFIG, change());
}
