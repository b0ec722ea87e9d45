import type { Noun } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'locations of devices, and the technicians restricted to them',
  sample: 'HQ',
  services: ['SitesService'],
  elsewhere: ['GetUserSites'],
  views: {
    Site: {
      columns: ['ID  id; NAME  name; DEVICES  devices; DESCRIPTION  description'],
    },
  },
  verbs: {
    keep: {
      call: 'SetUserSites',
      about: 'show the sites to which a technician is restricted; with an option, replace them at once',
      example: 'sites keep tom --site HQ --site Harbour',
      flags: { siteIds: '--site <site>', restricted: false },
      options: ['--none  allow no site', '--every  allow every site'],
      run: async ({ invoke, options }, { userId, siteIds = [] }) => {
        const { atMostOneOf } = await import('../contract/refuse.ts');
        const given = { '--site': options.site, '--none': options.none, '--every': options.every };
        if (!atMostOneOf(given)) return invoke('GetUserSites', { userId });
        return invoke('SetUserSites', { userId, restricted: options.every !== true, siteIds });
      },
      print: ({ restricted, siteIds }: { restricted: boolean; siteIds: string[] }, { say }) => {
        if (!restricted) say('every site');
        else if (siteIds.length === 0) say('no site');
        else for (const id of siteIds) say(id);
      },
    },
  },
};
