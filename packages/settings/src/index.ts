export { MASK, type Merged, maskSecrets, mergeMasked, revealSecrets } from './secrets.ts';
export {
  defineSection,
  type Section,
  type SectionOptions,
  type SettingKey,
  type SettingKeys,
  type SettingScope,
  type SettingsService,
  type SettingValues,
  setting,
} from './section.ts';
export { type SectionName, type SectionValues, sections } from './sections.ts';
export {
  createReader,
  type ReadSettings,
  type Settings,
  type SettingsReader,
  type SettingsReaderOptions,
  type SettingsSource,
} from './settings-reader.ts';
export {
  type SettingsConnection,
  type StartSettingsOptions,
  startReplica,
  startSettings,
} from './start-settings.ts';
