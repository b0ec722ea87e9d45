import type * as workflow from '@claviger/contracts/workflow/v1/workflow';
import { lines } from '../contract/cells.ts';
import type { Column, Noun } from '../contract/noun.ts';

const stepText = ({ name, quorum, approverRoles, approverUserIds }: workflow.ApprovalStep) =>
  `${name} ${quorum} of ${[...approverRoles, ...approverUserIds].join(', ') || 'users with requests.decide'}`.trim();

const policyFields = ({ customised, steps, oneTime, rotateOnEnd }: workflow.AccessPolicy): Column[] => [
  ...lines([['policy', customised ? 'of this resource' : 'the default']]),
  ...lines(steps.map((step, index) => [`step ${index + 1}`, stepText(step)])),
  'at most  {maxDurationMinutes} minutes',
  ...lines([
    ['one-time', oneTime ? 'yes: a credential is shown once' : 'no'],
    ['rotated', rotateOnEnd ? 'when the access ends' : 'not by a grant'],
  ]),
  'lapses  {requestTtlMinutes} minutes after the request',
];

const address: Column = [
  'ADDRESS',
  ({ host, port }: { host: string; port: number }) => (port > 0 ? `${host}:${port}` : host),
];

export const noun: Noun = {
  about: 'systems whose accounts the vault manages',
  sample: 'db-prod',
  services: ['ResourcesService', 'AccessPoliciesService'],
  elsewhere: ['GetAccessPolicy'],
  views: {
    Resource: {
      columns: [
        'ID  id; NAME  name; TYPE  type; CONNECTOR  moduleType',
        address,
        'ENTRIES  entryCount; STATUS  status',
      ],
      fields: [
        'resource  id; name  name; type  type; status  status; connector  moduleType',
        ['address', address[1] as never],
        'owner  ownerId; description  description; tags  tags; entries  entryCount; settings  settings',
        'changed  updatedAt',
      ],
    },
    AccessPolicy: { fields: policyFields },
  },
  verbs: {
    create: {
      call: 'CreateResource',
      example:
        'resources create db-prod --type database --module pg --host db.example --port 5432 --settings settings.json',
    },
    owner: {
      call: 'PutResourceOwner',
      example: 'resources owner db-prod bob',
      words: 'resourceId ownerId',
    },
    policy: {
      call: 'PutAccessPolicy',
      about: 'show the access policy of a resource; with --file, replace it',
      example: 'resources policy db-prod --file policy.json',
      bare: true,
      options: ['--file <file>  JSON: steps, maxDurationMinutes, oneTime, rotateOnEnd, requestTtlMinutes'],
      run: async ({ invoke, options }, { resourceId }) => {
        if (options.file === undefined) return invoke('GetAccessPolicy', { resourceId });
        const { readJsonFile } = await import('@claviger/terminal/json-file');
        return invoke('PutAccessPolicy', { ...(await readJsonFile(String(options.file))), resourceId });
      },
    },
  },
};
