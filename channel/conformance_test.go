package channel_test

import (
	"context"
	"fmt"
	"testing"

	"trigo"
	"trigo/channel"
	"trigo/trigotest"
)

func TestAChannelKeepsTheContract(t *testing.T) {
	for _, size := range []int{0, 1, 16, channel.Unbounded} {
		for _, bubble := range []bool{false, true} {
			t.Run(fmt.Sprintf("size %d, bubble %v", size, bubble), func(t *testing.T) {
				trigotest.CheckChannel(t, func(context.Context) (trigo.SendChannel[int], trigo.ReceiveChannel[int], error) {
					s, r := channel.Open[int](size)
					return s, r, nil
				}, func(i int) int { return i }, &trigotest.CheckOptions{Bubble: bubble})
			})
		}
	}
}
