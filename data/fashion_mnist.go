package data

import "context"

func init() { sources.Add("fashion-mnist", func() SourceOptions { return &FashionMNIST{} }) }

// FashionMNIST is 28×28 grey pictures of clothes in 10 classes, 60,000 and 10,000, in MNIST's files.
// Source: Xiao, Rasul & Vollgraf 2017, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms".
type FashionMNIST struct {
	IDXFolder
}

// Open implements SourceOptions.
func (m *FashionMNIST) Open(ctx context.Context, env Env) (*Parts, error) {
	return m.open(ctx, env, fashionMNISTFiles)
}

func (m *FashionMNIST) at(path string) SourceOptions { return &FashionMNIST{IDXFolder{Dir: path}} }

// fashionMNISTFiles has, for the images, the digests of the gzipped files as they were published: there is one packing only.
var fashionMNISTFiles = idxSet{
	name: "fashion-mnist",
	mirrors: []string{
		"https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
		"http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
		"https://cdn.jsdelivr.net/gh/zalandoresearch/fashion-mnist@master/data/fashion/",
	},
	files: []idxFile{
		{name: "train-images-idx3-ubyte", gzipSHA256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"},
		{name: "train-labels-idx1-ubyte", sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"},
		{name: "t10k-images-idx3-ubyte", gzipSHA256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"},
		{name: "t10k-labels-idx1-ubyte", sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"},
	},
}
