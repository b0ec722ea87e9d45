import * as workflow from '@claviger/contracts/workflow/v1/workflow';
import type { ListOptions } from './command-options.ts';
import type { ConnectionOptions } from './connection.ts';
import { listItems } from './paging.ts';
import { requestColumns } from './request-view.ts';
import { withSession } from './session.ts';
import { showList } from './show-list.ts';

export interface RequestListOptions extends ConnectionOptions, ListOptions {
  readonly status?: string;
  readonly decidable?: boolean;
  readonly search?: string;
}

/** The command `requests`. */
export function listRequests(options: RequestListOptions): Promise<void> {
  return withSession(options, async ({ api, format }) => {
    const { status, decidable, search } = options;
    const filter = {
      ...(status === undefined ? {} : { status }),
      ...(decidable === undefined ? {} : { decidable }),
      ...(search === undefined ? {} : { search }),
    };
    const listed = await listItems(api, workflow.RequestsService.listRequests, filter, options);
    showList(listed, requestColumns, format);
  });
}
