import type { Noun } from '../contract/noun.ts';

export const noun: Noun = {
  about: 'locations of devices, and the technicians restricted to them',
  sample: 'HQ',
  services: ['SitesService'],
  elsewhere: ['GetUserSites'],
  views: {
    Site: {
      columns: ['ID  id', 'NAME  name', 'DEVICES  devices', 'DESCRIPTION  description'],
      fields: ['site  id; name  name; description  description; devices  devices; changed  updatedAt'],
    },
  },
  verbs: {
    list: { call: 'ListSites', about: 'list the sites that you can see' },
    show: { call: 'GetSite', about: 'show a site, by name or id' },
    create: { call: 'CreateSite', about: 'add a site', words: 'name' },
    update: {
      call: 'UpdateSite',
      about: 'change the given fields',
      example: 'sites update HQ --name Headquarters',
    },
    delete: { call: 'DeleteSite', about: 'delete a site without devices' },
    keep: {
      call: 'SetUserSites',
      about: 'show the sites to which a technician is restricted; with an option, replace them at once',
      example: 'sites keep tom --site HQ --site Harbour',
      flags: { siteIds: '--site <site>  restrict to this site, by name or id', restricted: false },
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
