import type { Explanation } from './explanation.ts';

/** Codes of sites, devices and their agents, and of who signs in to them. */
export const deviceExplanations: Readonly<Record<string, Explanation>> = {
  site_denied: {
    meaning: 'You are kept to some sites, and this stands outside them or holds for all of them.',
    next: 'Ask somebody whose sites include it. `claviger sites list` shows yours.',
  },
  site_exists: {
    meaning: 'There is a site of this name already.',
    next: 'Use that one, or choose another name.',
  },
  site_in_use: {
    meaning: 'A device stands in this site, or somebody is kept to it.',
    next: 'Move the devices and people first; `claviger devices list --site NAME` shows the devices.',
  },
  device_exists: {
    meaning: 'The resource was enrolled as a device before: both are one thing and have one id.',
    next: '`claviger devices rotate-token` gives that device a new token; one that was decommissioned stays so.',
  },
  device_decommissioned: {
    meaning: 'The device was taken out of service for good.',
    next: 'Enrol the machine anew with `claviger devices enrol`; it gets another id.',
  },
  device_group_exists: {
    meaning: 'There is a group of devices with this name already.',
    next: 'Use that one, or choose another name.',
  },
  account_name_taken: {
    meaning: 'Another person has this account name; a name that devices report means one person.',
    next: 'Take it from the other person first (`claviger users directory-identity set`), or correct the name.',
  },
  other_agent: {
    meaning: 'An agent named another device than its own.',
    next: 'Use the id of the device that the token was made for.',
  },
  agents_only: {
    meaning: 'Only the agent of a device may call this, with the token of that device.',
    next: 'People use the routes below /api/v1/devices.',
  },
  not_for_agents: {
    meaning: 'The token of an agent opens nothing but the routes below /api/v1/agents.',
    next: 'Sign in as a person, or use an API token.',
  },
};
