/** `impossible`: this browser has none, or not for a page that came over plain http. */
export type NotifyState = NotificationPermission | 'impossible'

export function mayNotify(): NotifyState {
  return 'Notification' in globalThis ? Notification.permission : 'impossible'
}

/** Asks the person, through the browser. Only ever called by a press of theirs. */
export async function requestNotify(): Promise<NotifyState> {
  if (mayNotify() === 'impossible') return 'impossible'
  return await Notification.requestPermission()
}

let audio: AudioContext | null = null

/** Two soft notes, 0.3 s. Silent where the browser has not yet seen a press on this page. */
export function playTone(): void {
  audio ??= new AudioContext()
  const start = audio.currentTime
  for (const [at, pitch] of [
    [0, 660],
    [0.12, 880],
  ] as const) {
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    tone.frequency.value = pitch
    volume.gain.setValueAtTime(0, start + at)
    volume.gain.linearRampToValueAtTime(0.08, start + at + 0.02)
    volume.gain.exponentialRampToValueAtTime(0.0001, start + at + 0.18)
    tone.connect(volume).connect(audio.destination)
    tone.start(start + at)
    tone.stop(start + at + 0.2)
  }
}
