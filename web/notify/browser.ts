/** `impossible`: the browser has no notifications, or not for pages over plain http. */
export type NotifyState = NotificationPermission | 'impossible'

export function mayNotify(): NotifyState {
  return 'Notification' in globalThis ? Notification.permission : 'impossible'
}

/** Asks for permission. NewsNotification it only in response to a click: browsers refuse it elsewhere. */
export async function requestNotify(): Promise<NotifyState> {
  if (mayNotify() === 'impossible') return 'impossible'
  return await Notification.requestPermission()
}

let audio: AudioContext | null = null

/** Plays two soft notes, 0.3 s. Silent in a browser that has not seen a click on this page yet. */
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
