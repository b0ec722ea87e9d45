import type { Target } from '../targets/load-target.ts';

/** Whether the resource's admin entry changes the passwords. */
export function rotatesAsAdmin({ settings }: Pick<Target, 'settings'>): boolean {
  return settings.rotateAs === 'admin';
}

/**
 * The target with its admin entry as the login that changes passwords, whatever its settings say. Undefined
 * if no admin entry can be used, and for `http` targets with another setting: their request is that of the
 * account itself.
 */
export function asAdmin(target: Target): Target | undefined {
  if (!target.admin || target.admin.unproven) return undefined;
  if (rotatesAsAdmin(target)) return target;
  if (target.type === 'http') return undefined;
  return { ...target, settings: { ...target.settings, rotateAs: 'admin' } };
}
