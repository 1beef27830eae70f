import type { Colours } from '../terminal.ts';

/** Colours a cell by the status of its row: of an app or of a deployment. */
export function paintStatus(colours: Colours): (cell: string, row: { readonly status: string }) => string {
  return (cell, { status }) => {
    switch (status) {
      case 'active':
      case 'live':
        return colours.green(cell);
      case 'failed':
      case 'crashed':
        return colours.red(cell);
      case 'pending':
      case 'building':
      case 'deploying':
        return colours.yellow(cell);
      default:
        return cell;
    }
  };
}
