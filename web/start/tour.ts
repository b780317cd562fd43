/** What the scripted agent is asked in the tour; it stands in the composer, ready to be sent. */
export const TOUR_PROMPT = 'tour'
