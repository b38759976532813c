package main

import (
	"image/color"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // how to save .svg

	"trigo/bench/rows"
)

// drawChart draws trigo's part of each row against the first peer, as a bar
// beside a line at 1: one that does not reach it is for trigo.
func drawChart(file string, results []rows.Result) error {
	if filepath.Ext(file) == "" {
		file += ".svg"
	}
	p := plot.New()
	p.Title.Text = "trigo's time or memory divided by its peer's (below 1: trigo needs less)"
	p.X.Min, p.X.Max = 0, 2
	var names []string
	var values plotter.Values
	for _, r := range slices.Backward(results) {
		for _, f := range r.Contestants {
			if f.Ratio == nil {
				continue
			}
			names = append(names, r.Name+" / "+f.Name)
			values = append(values, min(f.Ratio.Median, p.X.Max))
			break
		}
	}
	bars, err := plotter.NewBarChart(values, vg.Points(8))
	if err != nil {
		return err
	}
	bars.Horizontal = true
	bars.LineStyle.Width = 0
	bars.Color = color.RGBA{R: 0x2f, G: 0x6f, B: 0xb0, A: 0xff}
	line, err := plotter.NewLine(plotter.XYs{{X: 1, Y: -1}, {X: 1, Y: float64(len(values))}})
	if err != nil {
		return err
	}
	p.Add(bars, line)
	p.NominalY(names...)
	return p.Save(9*vg.Inch, vg.Length(len(values))*vg.Points(13)+vg.Inch, file)
}
