import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const CONFIG = '/api/v1/admin/config';
let minutes = 5_000;

/** A change to a new value. */
function change(): object {
  minutes += 1;
  return { values: { access: { maximumGrantMinutes: minutes } }, reason: 'conformance' };
}

/** One vendor key for all files that share the installation, so that no file removes the key of another. */
const VENDOR = 'conformance-vendor';
const vendorKey = createPrivateKey({
  key: Buffer.concat([
    // PKCS#8 prefix of Ed25519, before the 32 bytes of the key.
    Buffer.from('302e020100300506032b657004220420', 'hex'),
    createHash('sha256').update(VENDOR).digest(),
  ]),
  format: 'der',
  type: 'pkcs8',
});

/** A license without limits, by a vendor whose key the platform trusts from now on. */
async function license({ platform }: World): Promise<string> {
  const publicKey = createPublicKey(vendorKey).export({ format: 'jwk' }).x;
  await platform.must('PUT', CONFIG, { values: { licence: { publicKeys: [{ id: VENDOR, publicKey }] } } });
  const part = (json: object): string => Buffer.from(JSON.stringify(json)).toString('base64url');
  const content = `${part({ alg: 'EdDSA', typ: 'claviger-licence+jwt', kid: VENDOR })}.${part({
    jti: randomUUID(),
    owner: 'Conformance',
    iat: Math.floor(Date.now() / 1_000),
  })}`;
  return `${content}.${sign(null, Buffer.from(content), vendorKey).toString('base64url')}`;
}

export const administrationSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  UpdateConfig: () => ({ body: change() }),
  GetConfigVersion: async ({ steppedUp }) => {
    const { rowVersion } = await steppedUp.must('PUT', CONFIG, change());
    return { params: { version: String(rowVersion) } };
  },
  ApplyLicense: async (world) => ({ body: { license: await license(world) } }),
};

/** Four versions of the configuration, for the tests of paging. */
export async function fillConfigVersions({ steppedUp }: World): Promise<void> {
  for (let version = 0; version < 4; version += 1) await steppedUp.must('PUT', CONFIG, change());
}
