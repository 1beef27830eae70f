/**
 * The health check that Docker runs in a container, as text for busybox's ash. It is the gate: Docker says healthy, and
 * so Traefik routes, when the flag `ready` is in the gate folder and the app's port is in LISTEN state.
 *
 * A run remembers in /dev/shm, which is empty after every start, what it has told Docker since that start:
 *   nothing  → wait inside this one run, so that Docker hears it within a tenth of a second, not an interval later;
 *   healthy  → answer at once, so that taking `ready` away shows after ten runs; with `routed` hold, for execs cost CPU;
 *   held     → a hold is over: say healthy again before the next one. A daemon that restarts under a running container
 *              (live-restore) forgets what it was told and may be asking anew; a hold would leave the app unrouted.
 * In the 0.3 s between a run that says healthy and one that holds, nothing here tells a Docker that has begun to ask anew
 * from the one that was told; whoever repairs a live release ends such a hold (`end_hold` in decide-repairs.ts).
 * Without a writable /dev/shm every run answers at once and none holds.
 *
 * The listening sockets come first in /proc/net/tcp*, so reading stops at the first other one. The shell's own `read`
 * needs no second process, of which an app at its pids limit has none. 0B00007F is 127.0.0.11, Docker's resolver.
 * Exit code 2 is kept for "could not check".
 */
export function checkScript(port: number): string {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return `memory=/dev/shm/.berth-gate

listening() {
  for table in /proc/net/tcp /proc/net/tcp6; do
    while read -r _ local _ state _; do
      case $state:$local in
        0A:0B00007F:*) ;;
        0A:*:${hexPort}) return 0 ;;
        0A:* | st:*) ;;
        *) break ;;
      esac
    done 2>/dev/null <$table
  done
  return 1
}

open() { [ -e /.berth/ready ] && listening; }

told=
read -r told 2>/dev/null <$memory
case $told in
  healthy)
    if [ -e /.berth/routed ]; then
      echo held >$memory && exec /.berth/busybox sleep 3600
    fi
    open || exit 1
    ;;
  held)
    open || exit 1
    ;;
  *)
    echo waiting 2>/dev/null >$memory || { open && exit 0 || exit 1; }
    until open; do /.berth/busybox sleep 0.1 || /.berth/busybox sleep 1 || exit 2; done
    ;;
esac
echo healthy >$memory
`;
}
