import { orNotFound } from '@claviger/api-client/or-not-found';
import type * as devices from '@claviger/contracts/auth/v1/devices';
import type { Noun, Running, Verb } from '../contract/noun.ts';
import { refuse } from '../contract/refuse.ts';

const policyColumns = [
  'LEVEL  scope; OF  scopeName',
  [
    'UAC INTERCEPTION',
    ({ pam }: devices.ConfigurationPolicy) =>
      pam?.uacInterceptionEnabled === undefined
        ? 'set by the next level'
        : pam.uacInterceptionEnabled
          ? 'on'
          : 'off',
  ],
  'CHANGED  updatedAt',
] as const;

const levels = [
  '--device <device>  level of a device, by host name or id',
  '--group <group>  level of a group of devices, by name or id',
  '--site <site>  level of a site, by name or id',
  '--organization  level of the whole tenant',
  '--partner  level of the installation, for every tenant',
];
const LEVELS = 'give one of --device, --group, --site, --organization and --partner';

/**
 * The level that the options name; undefined if they name none. Throws a usage error if they name several.
 */
async function levelOf({ idOf, options }: Running): Promise<{ scope: string; scopeId: string } | undefined> {
  const named = ['device', 'group', 'site', 'organization', 'partner'].filter(
    (each) => options[each] !== undefined,
  );
  const [scope] = named;
  if (named.length > 1) throw refuse(`${LEVELS}, not several of them`);
  if (scope === undefined) return undefined;
  const given = options[scope];
  return { scope, scopeId: given === true ? 'default' : await idOf(scope, given) };
}

async function required(running: Running): Promise<{ scope: string; scopeId: string }> {
  const level = await levelOf(running);
  if (level === undefined) throw refuse(LEVELS);
  return { ...level };
}

const token: Pick<Verb, 'secret' | 'told'> = {
  secret: 'agentToken',
  told: 'device {device.id}; the token of its agent is shown once',
};

export const noun: Noun = {
  about: 'devices whose agents report prompts and apply decisions',
  sample: 'WIN-ACCT-04',
  services: ['DevicesService'],
  elsewhere: ['GetDeviceConfiguration'],
  views: {
    Device: {
      columns: [
        'ID  id; HOST  hostname; SITE  siteName; OS  os; STATUS  status; TOKEN  hasToken?yes:none',
        'LAST SEEN  lastSeenAt',
      ],
      fields: [
        'device  id; host  hostname; site  siteName; os  os; status  status',
        'resource  linkedToResource?its accounts are kept in the vault:',
        'agent token  {hasToken?since :none}{tokenCreatedAt}; last seen  lastSeenAt',
        'enrolled by  enrolledBy; decommissioned  decommissionedAt; prompts  prompts',
      ],
    },
    ConfigurationPolicy: { columns: policyColumns },
  },
  verbs: {
    show: {
      call: 'GetDevice',
      about: 'show a device, by host name or id, and whether it captures prompts',
      run: async ({ invoke, format }, request) => {
        const { device } = await invoke<{ device: object }>('GetDevice', request);
        const { configuration } = await invoke<{ configuration?: devices.DeviceConfiguration }>(
          'GetDeviceConfiguration',
          request,
        );
        return {
          device:
            format === 'table'
              ? { ...device, prompts: promptsText(configuration) }
              : { ...device, configuration },
        };
      },
    },
    enrol: {
      call: 'EnrolDevice',
      example: 'devices enrol WIN-ACCT-04 --site HQ --os windows --output-file ./device.token',
      ...token,
    },
    update: {
      call: 'UpdateDevice',
      example: 'devices update WIN-ACCT-04 --site Harbour',
      options: ['--no-site  remove it from its site'],
      needs: '--hostname, --site or --no-site',
    },
    'rotate-token': {
      call: 'RotateAgentToken',
      example: 'devices rotate-token WIN-ACCT-04 --output-file ./device.token',
      ...token,
    },
    'revoke-token': { call: 'RevokeAgentToken', told: 'the token of the agent is revoked' },
    decommission: {
      call: 'DecommissionDevice',
      example: 'devices decommission WIN-ACCT-04 --reason "scrapped"',
      flags: { reason: '--reason <text>!' },
      confirm: 'decommission {0}?',
    },
  },
  nouns: {
    policy: {
      about: 'policy of each level on capturing prompts; the most specific level applies',
      services: ['ConfigurationPoliciesService'],
      verbs: {
        get: {
          call: 'ListConfigurationPolicies',
          about: 'show the policies of levels; for the result on one device: claviger devices show',
          example: 'devices policy get --site HQ',
          bare: true,
          options: levels,
          fixed: { feature: 'pam' },
          rows: 'ConfigurationPolicy',
          none: 'this level has no policy: the next level applies',
          run: async (running, request) => {
            const level = await levelOf(running);
            if (level === undefined) return running.listItems('ListConfigurationPolicies', request);
            const said = await running.listAll('ListConfigurationPolicies', {
              ...request,
              scope: level.scope,
            });
            const items = said.filter(({ scopeId }) => scopeId === level.scopeId);
            return { items, totalItems: items.length };
          },
        },
        set: {
          call: 'PutConfigurationPolicy',
          example: 'devices policy set --site HQ --uac-interception off',
          bare: true,
          words: '',
          options: ['--uac-interception <on|off>!  whether devices capture elevation prompts', ...levels],
          fixed: { feature: 'pam' },
          prepare: async (running) => ({
            ...(await required(running)),
            pam: { uacInterceptionEnabled: running.options.uacInterception === 'on' },
          }),
          asTable: true,
        },
        clear: {
          call: 'DeleteConfigurationPolicy',
          example: 'devices policy clear --site HQ',
          bare: true,
          words: '',
          options: levels,
          fixed: { feature: 'pam' },
          prepare: required,
          run: async ({ invoke, tell }, request) => {
            const cleared = await orNotFound(invoke('DeleteConfigurationPolicy', request));
            tell(cleared === undefined ? 'this level had no policy' : 'cleared: the next level applies');
          },
        },
      },
    },
  },
};

const promptsText = (configuration: devices.DeviceConfiguration | undefined) =>
  `${(configuration?.pam?.uacInterceptionEnabled ?? true) ? 'captured' : 'not captured'}, as the ${configuration?.sources?.[0]?.scope ?? 'default'} says`;
