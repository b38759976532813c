// Package channel has channels in memory whose every wait takes a ctx. They
// differ from Go's own in what happens at the edges:
//
//   - Either end can be closed, any number of times, while others use it. A
//     receiver can say that it has had enough, and the senders are told.
//   - [Sender.Clone] and [Receiver.Clone] make handles that are closed one by
//     one: the channel ends when its last sender is gone, so several producers
//     need nobody to count them.
//   - A cancelled Send did not happen, and a cancelled Receive took nothing.
//   - Statistics tell how full it is, how full it was, and who waits.
//
// [Open] makes a channel, [OpenBroadcast] one whose every value goes to all
// subscribers, and [FromSeq] runs an iterator in a goroutine that cannot leak.
// [trigo.Values] iterates over what a receiver receives.
//
// Those who wait are served strictly in the order in which they came. A value
// handed to somebody who waits for it is theirs, and so is the room that a
// receiver makes for a sender: nobody who comes later gets ahead of them.
//
// Inside a bubble of [testing/synctest] a channel works as Go's own do, if it was
// opened in the bubble and is used nowhere else.
//
// Trio: trio.open_memory_channel, trio.as_safe_channel.
package channel
