import { eventually } from '@claviger/testkit';
import type { Sample } from './sample.ts';
import type { World } from './world.ts';

const REASON = 'conformance';
const SERVICE = 'workflow';

interface Service {
  readonly service: string;
  readonly leader: string;
  readonly replicas: readonly { readonly node: string; readonly role: string }[];
  readonly demoted: readonly { readonly node: string }[];
}

/** A replica that may lead and does not; readmits demoted replicas first. */
async function follower({ platform }: World): Promise<string> {
  return eventually(
    async () => {
      const { services } = await platform.must('GET', '/api/v1/admin/cluster/status');
      const found = (services as Service[]).find((each) => each.service === SERVICE)!;
      for (const { node } of found.demoted)
        await platform.must('POST', '/api/v1/admin/cluster/readmit', {
          service: SERVICE,
          node,
          reason: REASON,
        });
      const free = found.replicas.find((each) => each.role === 'follower');
      if (!free || found.leader === '') throw new Error(`no follower: ${JSON.stringify(found)}`);
      return free.node;
    },
    { what: 'a replica that does not lead' },
  );
}

const ofFollower = async (world: World): Promise<Sample> => ({
  body: { service: SERVICE, node: await follower(world), reason: REASON },
});

export const clusterSamples: Readonly<Record<string, (world: World) => Promise<Sample> | Sample>> = {
  PromoteNode: ofFollower,
  DemoteNode: ofFollower,
  ReadmitNode: ofFollower,
};
